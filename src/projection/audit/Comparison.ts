/** Where two JSON values part, and the event since when. Pure. */
import type { RecordedEvent } from "../../eventstore/EventStore.ts"

export interface Parting {
  /** Path of the first field that differs, as `lines.0.quantity`. */
  readonly field: string
  readonly inView: unknown
  readonly inLog: unknown
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null

/** The first difference in the order of the fields; undefined if they are equal. */
export const parting = (inView: unknown, inLog: unknown, path: ReadonlyArray<string> = []): Parting | undefined => {
  if (inView === inLog) return undefined
  if (!isObject(inView) || !isObject(inLog) || Array.isArray(inView) !== Array.isArray(inLog)) {
    return { field: path.join("."), inView, inLog }
  }
  for (const name of new Set([...Object.keys(inLog), ...Object.keys(inView)])) {
    const found = parting(inView[name], inLog[name], [...path, name])
    if (found !== undefined) return found
  }
  return undefined
}

const at = (value: unknown, field: string): unknown =>
  field === ""
    ? value
    : field.split(".").reduce<unknown>((part, name) => (isObject(part) ? part[name] : undefined), value)

/**
 * The event since when the fold no longer agrees with what the view has in the field. If it never did, the one that gave
 * the field its present value.
 */
export const partingEvent = (
  events: ReadonlyArray<RecordedEvent>,
  contents: ReadonlyArray<unknown>,
  { field, inView }: Parting
): RecordedEvent | undefined => {
  const values = contents.map((content) => JSON.stringify(at(content, field)))
  const agreed = values.lastIndexOf(JSON.stringify(inView))
  if (agreed >= 0) return events[agreed + 1]
  const last = values.at(-1)
  return events[values.findLastIndex((value) => value !== last) + 1]
}
