/**
 * Spans of what runs often. Effect makes a span, and looks up a stack trace for it, also where no tracer keeps spans;
 * these are made only where one does.
 */
import { Effect, type Fiber, Tracer } from "effect"

/** Effect's own tracer, which is there by default, shows its spans to nobody. */
export const isRecorded = (fiber: Fiber.Fiber<unknown, unknown>): boolean =>
  fiber.getRef(Tracer.Tracer) !== Tracer.nativeTracer

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

/** Makes functions as `Effect.fn(name)` does, of generators. */
export const fn =
  (name: string) =>
  <Arguments extends ReadonlyArray<unknown>, Yielded extends Effect.Effect<unknown, unknown, unknown>, A>(
    body: (...args: Arguments) => Generator<Yielded, A, never>
  ) => {
    const untraced = Effect.fnUntraced(body)
    return (...args: Arguments) => within(name)(untraced(...args))
  }
