/** Compares what callers were told with what is in the log, read straight from SQL. */
import type { PgClient } from "@effect/sql-pg"
import { Effect } from "effect"
import { canonicalJson } from "../../src/aggregate/CanonicalJson.ts"
import type { Receipt } from "../../src/orders/Receipt.ts"
import { isForLater, type Told } from "../campaigns/Wishes.ts"

interface Stored {
  readonly wish: string
  readonly commandId: string
  readonly stream: string
  readonly events: number
  readonly version: number
  readonly position: bigint
}

/** This is the part of an answer that must be the same each time; a repeat says besides that it is one. */
const content = (receipt: Receipt) =>
  canonicalJson({ ...receipt, position: String(receipt.position), token: undefined, replayed: undefined })

const grantedFaults = (told: Told, receipt: Receipt, stored: ReadonlyArray<Stored>): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const { events, keyed } = told.wish
  if (new Set(told.receipts.map(content)).size > 1) faults.push("was answered differently")
  if (told.receipts.slice(1).some(({ replayed }) => !replayed)) faults.push("a repeat does not say that it is one")
  if (receipt.events.length !== events) faults.push(`says ${receipt.events.length} events instead of ${events}`)
  if (events === 0) return keyed && stored.length > 0 ? [...faults, "stored something"] : faults
  const [only] = stored
  if (stored.length !== 1 || only === undefined) return [...faults, `took effect ${stored.length} times`]
  if (only.events !== events) faults.push(`stored ${only.events} events instead of ${events}`)
  if (only.commandId !== receipt.commandId) faults.push("was stored under another command id")
  if (only.stream !== `order-${receipt.orderId}`) faults.push(`was stored in ${only.stream}`)
  if (only.version !== receipt.version || only.position !== receipt.position) {
    faults.push(`said version ${receipt.version} at ${receipt.position}, is ${only.version} at ${only.position}`)
  }
  return faults
}

const refusedFaults = ({ errors, wish }: Told, stored: ReadonlyArray<Stored>): ReadonlyArray<string> => {
  const last = errors.at(-1) ?? "nothing"
  if (!isForLater(last)) return [`was answered ${last}`]
  if (wish.keyed) return [`was never granted: ${errors.slice(-3).join(", ")}`]
  const most = last === "OutcomeUnknown" ? 1 : 0
  return stored.length > most ? [`answered ${last} and took effect ${stored.length} times`] : []
}

const faultsOf = (told: Told, stored: ReadonlyArray<Stored>): ReadonlyArray<string> => {
  const [receipt] = told.receipts
  const faults = receipt === undefined ? refusedFaults(told, stored) : grantedFaults(told, receipt, stored)
  const strange = told.errors.filter((tag) => !isForLater(tag)).map((tag) => `was answered ${tag}`)
  const impatient = told.retryAfter.some((seconds) => !(seconds > 0)) ? ["said no time to try again"] : []
  return [...faults, ...strange, ...impatient].map(
    (fault) => `${told.wish.keyed ? "keyed" : "unkeyed"} ${told.wish.what} ${told.wish.id} ${fault}`
  )
}

/** Everything that is wrong; and that the log is whole. */
export const judge = Effect.fnUntraced(function* (sql: PgClient.PgClient, all: ReadonlyArray<Told>) {
  const rows = yield* sql<Stored>`SELECT metadata->>'correlationId' AS wish, metadata->>'commandId' AS "commandId",
      min(stream_id) AS stream, count(*)::int AS events, max(version) AS version, max("position") AS "position"
    FROM ordinal.events WHERE stream_id LIKE 'order-%'
    GROUP BY metadata->>'correlationId', metadata->>'commandId'`
  const byWish = Map.groupBy(rows, (row) => row.wish)
  const known = new Set(all.map(({ wish }) => wish.id))
  const faults = all.flatMap((told) => faultsOf(told, byWish.get(told.wish.id) ?? []))
  for (const wish of byWish.keys()) if (!known.has(wish)) faults.push(`nobody wished for ${wish}`)

  const [log] = yield* sql<{ readonly events: number; readonly last: bigint; readonly holes: number }>`
    SELECT count(*)::int AS events, coalesce(max("position"), 0) AS last, (
      SELECT count(*)::int FROM (
        SELECT version - row_number() OVER (PARTITION BY stream_id ORDER BY "position") AS off FROM ordinal.events
      ) AS numbered WHERE off <> 0
    ) AS holes FROM ordinal.events`
  if (log === undefined || BigInt(log.events) !== log.last) faults.push(`positions have gaps: ${log?.events} events`)
  if (log === undefined || log.holes > 0) faults.push(`${log?.holes} versions are out of order`)

  const [commands] = yield* sql<{ readonly count: number }>`SELECT count(*)::int AS count FROM ordinal.commands`
  const granted = all.filter(({ receipts, wish }) => wish.keyed && receipts.length > 0).length
  if (commands?.count !== granted) faults.push(`${commands?.count} keys are remembered, ${granted} were granted`)
  return { faults, events: log?.events ?? 0 }
})
