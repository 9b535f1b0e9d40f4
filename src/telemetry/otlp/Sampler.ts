/**
 * Decides which traces are recorded, as the OpenTelemetry specification names the ways. A part of all traces is chosen by
 * the trace's id, so that every process chooses the same ones.
 *
 * A statement that belongs to no request, such as the poll of a view that waits for work, begins no trace.
 */
import { Option, Tracer } from "effect"

/** With `parentbased_`, whoever sent the request decides, if that is known. */
export const names = [
  "parentbased_always_on",
  "parentbased_always_off",
  "parentbased_traceidratio",
  "always_on",
  "always_off",
  "traceidratio"
] as const

export type Name = (typeof names)[number]

/** So many of an id's last hexadecimal digits, which are random wherever it was made, are a number without rounding. */
const digits = 13

/** Makes a tracer that records a part of what the other one would; `ratio` is that part where the name says `traceidratio`. */
export const make = (tracer: Tracer.Tracer, name: Name, ratio: number): Tracer.Tracer => {
  const asksParent = name.startsWith("parentbased_")
  const part = name.endsWith("always_off") ? 0 : name.endsWith("traceidratio") ? ratio : 1
  return Tracer.make({
    span: (options) => {
      const parent = Option.getOrUndefined(options.parent)
      if (parent === undefined && options.kind === "client") return tracer.span({ ...options, sampled: false })
      // It was decided on the trace of a span of this process when that began.
      if (parent?._tag === "Span" || (parent !== undefined && asksParent)) return tracer.span(options)
      const span = tracer.span({ ...options, sampled: true })
      const isChosen = parseInt(span.traceId.slice(-digits), 16) < part * 16 ** digits
      return isChosen ? span : Object.assign(span, { sampled: false })
    }
  })
}
