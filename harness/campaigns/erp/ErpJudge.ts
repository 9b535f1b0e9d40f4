/** Judges what an ERP has done against the log: nothing missed, nothing done twice. */
import { type Sql, storedEvents } from "../../servers/Sql.ts"
import type { Work } from "./ErpProgram.ts"

/** The events of an order by their types, in order: the one of version 1 is the first. */
export type Log = ReadonlyMap<string, ReadonlyArray<string>>

export const logOf = async (sql: Sql): Promise<Log> => {
  const log = new Map<string, Array<string>>()
  for (const { stream, type } of await storedEvents(sql)) {
    if (!stream.startsWith("order-")) continue
    const orderId = stream.slice("order-".length)
    const types = log.get(orderId)
    if (types === undefined) log.set(orderId, [type])
    else types.push(type)
  }
  return log
}

const byOrder = (work: ReadonlyArray<Work>): ReadonlyMap<string, ReadonlyArray<Work>> =>
  Map.groupBy(work, ({ orderId }) => orderId)

/** Who is told of each event has done something for each version, in order. */
export const everyEvent = (log: Log, work: ReadonlyArray<Work>): ReadonlyArray<string> => {
  const done = byOrder(work)
  const unknown = [...done.keys()]
    .filter((orderId) => !log.has(orderId))
    .map((orderId) => `${orderId} is not in the log`)
  const faults = [...log].flatMap(([orderId, types]) => {
    const versions = (done.get(orderId) ?? []).map(({ version }) => version)
    const expected = types.map((_, index) => index + 1)
    return versions.join() === expected.join()
      ? []
      : [`${orderId}: the versions ${versions.join(", ") || "(none)"} were done, not 1 to ${types.length}`]
  })
  return [...unknown, ...faults]
}

/** Who polls has done the last version, and others before it at most once, in order; it knows the order as the view has it. */
export const lastVersions = (
  log: Log,
  work: ReadonlyArray<Work>,
  view: ReadonlyMap<string, string>
): ReadonlyArray<string> => {
  const done = byOrder(work)
  const unknown = [...done.keys()]
    .filter((orderId) => !log.has(orderId))
    .map((orderId) => `${orderId} is not in the log`)
  const faults = [...log].flatMap(([orderId, types]) => {
    const all = done.get(orderId) ?? []
    const last = all.at(-1)
    const isAscending = all.every(({ version }, index) => version > (all[index - 1]?.version ?? 0))
    if (last?.version !== types.length)
      return [`${orderId}: version ${last?.version} is the last one done, not ${types.length}`]
    if (!isAscending) return [`${orderId}: the versions ${all.map(({ version }) => version).join(", ")} were done`]
    return last.what === view.get(orderId) ? [] : [`${orderId}: known as ${last.what}, and it is ${view.get(orderId)}`]
  })
  return [...unknown, ...faults]
}
