/**
 * Spans of what runs often. Effect makes a span, and looks up a stack trace for it, also where no tracer keeps spans;
 * these are made only where one does.
 *
 * What several callers wait for together, and what follows from stored events, belongs to the trace of the first caller
 * that is traced, and is linked to all others.
 */
import { Context, Effect, type Fiber, Option, Tracer } from "effect"
import { Headers, HttpTraceContext } from "effect/http"

/** Effect's own tracer, which is there by default, shows its spans to nobody; a request may be left out of the sample. */
export const isRecorded = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.getRef(Tracer.Tracer) !== Tracer.nativeTracer &&
  Context.getOrUndefined(fiber.context, Tracer.ParentSpan)?.sampled !== false

/** Gives the span that the fiber is in, if it is recorded. */
export const current = (fiber: Fiber.Fiber<unknown, unknown>): Tracer.AnySpan | undefined =>
  isRecorded(fiber) ? Context.getOrUndefined(fiber.context, Tracer.ParentSpan) : undefined

/** Runs an effect that is given its span, or nothing where no spans are kept. */
export const use = <A, E, R>(
  name: string,
  evaluate: (span: Tracer.Span | undefined) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.withFiber((fiber) => (isRecorded(fiber) ? Effect.useSpan(name, evaluate) : evaluate(undefined)))

/** Runs an effect within a span. The options are made only for a span. */
export const within =
  (name: string, options?: () => Tracer.SpanOptions) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiber((fiber) =>
      isRecorded(fiber) ? (Effect.withSpan(effect, name, options?.()) as Effect.Effect<A, E, R>) : effect
    )

/** A span that many wait for is linked to no more of them than this. */
const maxLinks = 128

/** Runs an effect within a span that continues the first of `spans` and is linked to the others; without any, runs it alone. */
export const joined =
  (name: string, spans: () => ReadonlyArray<Tracer.AnySpan>, attributes?: () => Record<string, unknown>) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.withFiber((fiber) => {
      if (fiber.getRef(Tracer.Tracer) === Tracer.nativeTracer) return effect
      const [parent, ...others] = spans()
      if (parent === undefined) return effect
      return Effect.withSpan(effect, name, {
        captureStackTrace: false,
        parent,
        links: others.slice(0, maxLinks).map((span) => ({ span, attributes: {} })),
        ...(attributes && { attributes: attributes() })
      }) as Effect.Effect<A, E, R>
    })

/** Writes the W3C trace context of a span. */
export const toTraceparent = (span: Tracer.AnySpan): string =>
  `00-${span.traceId.padStart(32, "0")}-${span.spanId}-${span.sampled ? "01" : "00"}`

/** Reads the spans that made these events, each once, as far as they are recorded somewhere. */
export const ofTraceparents = (traceparents: Iterable<string | undefined>): ReadonlyArray<Tracer.AnySpan> =>
  Array.from(new Set(traceparents)).flatMap((traceparent) => {
    if (traceparent === undefined) return []
    const span = HttpTraceContext.w3c(Headers.fromInput({ traceparent }))
    return Option.isSome(span) && span.value.sampled ? [span.value] : []
  })

/** Makes functions as `Effect.fn(name)` does, of generators. */
export const fn =
  (name: string) =>
  <Arguments extends ReadonlyArray<unknown>, Yielded extends Effect.Effect<unknown, unknown, unknown>, A>(
    body: (...args: Arguments) => Generator<Yielded, A, never>
  ) => {
    const untraced = Effect.fnUntraced(body)
    return (...args: Arguments) => within(name)(untraced(...args))
  }
