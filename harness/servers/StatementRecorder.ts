/**
 * Records the SQL statements that a caller's own commands lead to. What runs in the background meanwhile (the log's tail,
 * leases, views, audits, the sweep of kept keys) belongs to no command, and chance decides when it comes: it is left out.
 */
import { Effect, Option, Tracer } from "effect"

/** These serve many callers at once, so they continue no caller's span: appends, and looks at the versions of streams. */
const together = /ordinal\.append_|AS asked \(stream_id/

export const make = () => {
  const own = new WeakSet<Tracer.AnySpan>()
  let statements: Array<string> | undefined

  return {
    /** The whole process runs under this tracer, from its beginning. */
    tracer: Tracer.make({
      span: (options) => {
        const span = new Tracer.NativeSpan(options)
        if (Option.isSome(options.parent) && own.has(options.parent.value)) own.add(span)
        const attribute = span.attribute.bind(span)
        span.attribute = (key, value) => {
          if (key === "db.query.text" && (own.has(span) || together.test(String(value)))) {
            statements?.push(String(value))
          }
          attribute(key, value)
        }
        return span
      }
    }),
    /** Gives the statements that these commands lead to. */
    of: <A, E, R>(commands: Effect.Effect<A, E, R>): Effect.Effect<ReadonlyArray<string>, E, R> =>
      Effect.suspend(() => {
        const recorded: Array<string> = []
        statements = recorded
        return Effect.useSpan("caller", (span) => {
          own.add(span)
          return Effect.withParentSpan(commands, span)
        }).pipe(Effect.as(recorded), Effect.ensuring(Effect.sync(() => (statements = undefined))))
      })
  }
}
