/** Finds the first difference of two JSON values, and the event from which on they differ. Pure; `DriftAudit` calls it. */
import type { RecordedEvent } from "../../eventstore/EventStore.ts"

export interface FieldDifference {
  /** The path of the field, as `lines.0.quantity`. */
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
 * Gives the event from which on the fold no longer agrees with the view in this field. If they never agreed, it gives the
 * event that gave the field its present value. `contents` holds the fold after each of the events.
 */
export const divergedAt = (
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
