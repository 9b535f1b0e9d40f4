/** Compares a row, as JSON, with the fold of its stream, and finds the event from which on they differ. Pure. */
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { Difference } from "./Audits.ts"

interface FieldDifference {
  /** The field has this path, as `lines.0.quantity`. */
  readonly field: string
  readonly inView: unknown
  readonly inLog: unknown
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** Gives the first difference in the order of the fields; undefined if the values are equal. */
export const firstDifference = (
  inView: unknown,
  inLog: unknown,
  path: ReadonlyArray<string> = []
): FieldDifference | undefined => {
  if (inView === inLog) return undefined
  if (!isObject(inView) || !isObject(inLog) || Array.isArray(inView) !== Array.isArray(inLog)) {
    return { field: path.join("."), inView, inLog }
  }
  for (const name of new Set([...Object.keys(inLog), ...Object.keys(inView)])) {
    const found = firstDifference(inView[name], inLog[name], [...path, name])
    if (found !== undefined) return found
  }
  return undefined
}

const valueAt = (value: unknown, field: string): unknown =>
  field === ""
    ? value
    : field.split(".").reduce<unknown>((part, name) => (isObject(part) ? part[name] : undefined), value)

/**
 * Gives the event from which on the fold no longer agrees with the view in this field. If they never agreed, it gives
 * the event that gave the field its present value. `contents` holds the fold after each of the events.
 */
const divergedAt = (
  events: ReadonlyArray<RecordedEvent>,
  contents: ReadonlyArray<unknown>,
  { field, inView }: FieldDifference
): RecordedEvent | undefined => {
  const values = contents.map((content) => JSON.stringify(valueAt(content, field)))
  const agreed = values.lastIndexOf(JSON.stringify(inView))
  if (agreed >= 0) return events[agreed + 1]
  const last = values.at(-1)
  return events[values.findLastIndex((value) => value !== last) + 1]
}

export type Found = Pick<Difference, "kind" | "field" | "inView" | "inLog"> & {
  readonly from?: RecordedEvent | undefined
}

/** Compares a row, if there is one, with the fold after each of its events; undefined if they are equal. */
export const findDifference = (
  row: { readonly version: number; readonly content: unknown } | undefined,
  events: ReadonlyArray<RecordedEvent>,
  contents: ReadonlyArray<unknown>
): Found | undefined => {
  const inLog = contents.at(-1)
  if (row === undefined) {
    if (inLog === undefined) return undefined
    return { kind: "missing", field: "", inView: undefined, inLog, from: events[0] }
  }
  if (inLog === undefined) return { kind: "extra", field: "", inView: row.content, inLog }
  const ownIndex = events.findIndex((event) => event.version === row.version)
  const atOwnVersion = firstDifference(row.content, contents[ownIndex] ?? inLog)
  const difference = atOwnVersion ?? firstDifference(row.content, inLog)
  if (difference === undefined) return undefined
  return atOwnVersion === undefined
    ? { ...difference, kind: "behind", from: events[ownIndex + 1] }
    : { ...difference, kind: "different", from: divergedAt(events, contents, difference) }
}
