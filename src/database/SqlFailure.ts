/** What a failed statement means for its caller. The one place that reads SQLSTATEs. */
import { Effect, Fiber, Option, Predicate } from "effect"
import type { SqlError } from "effect/sql/SqlError"
import { awaitWithGrace } from "./AwaitWithGrace.ts"
import { DatabaseUnavailable } from "../eventstore/Unavailable.ts"

/**
 * - `lost`: the connection went away; the statement may have taken effect or not.
 * - `again`: it certainly had no effect, and may work later.
 * - `data`: it certainly had no effect, and the data is to blame (SQLSTATE class 22, 23, 54).
 * - `bug`: it had no effect and never will.
 */
export type Verdict = "lost" | "again" | "data" | "bug"

const property = (cause: unknown, key: string): string | undefined =>
  Predicate.hasProperty(cause, key) && typeof cause[key] === "string" ? cause[key] : undefined

export const sqlState = (error: SqlError): string | undefined => property(error.reason.cause, "code")

/** What the server or the connection says of it; the error's own message only says that there is one. */
export const said = (error: SqlError): string => property(error.reason.cause, "message") ?? error.message

const again = /^(?:08|25006|40|53|55P03|57|58)/
/** `transaction_resolution_unknown`, `statement_completion_unknown`: what a pooler may say. */
const unknown = new Set(["08007", "40003"])
const lockNotAvailable = "55P03"
const data = /^(?:22|23|54)/

export const verdict = (error: SqlError): Verdict => {
  const { reason } = error
  if (reason.operation === "connect") return "again"
  const state = sqlState(error)
  // Only the server states a severity: a socket has codes too, and EPIPE looks just like a SQLSTATE.
  const severity = property(reason.cause, "severityUnlocalized") ?? property(reason.cause, "severity")
  if (state === undefined || severity === undefined) {
    if (reason._tag === "ConnectionError") return "lost"
    return property(reason.cause, "_tag") === "PgTypesCodecError" ? "data" : "bug"
  }
  // A session that is being ended may be told so after its statement was committed.
  if (severity === "FATAL" || severity === "PANIC" || unknown.has(state)) return "lost"
  if (data.test(state)) return "data"
  return again.test(state) ? "again" : "bug"
}

/** For statements without effect (reads): what is not a bug is `DatabaseUnavailable`; a bug dies. */
export const orUnavailable = <A, R>(self: Effect.Effect<A, SqlError, R>): Effect.Effect<A, DatabaseUnavailable, R> =>
  Effect.catch(self, (error) => {
    const judged = verdict(error)
    return judged === "lost" || judged === "again"
      ? Effect.fail(
          new DatabaseUnavailable({
            retryAfter: 1,
            ...(sqlState(error) === lockNotAvailable ? { isBusy: true } : {}),
            cause: error
          })
        )
      : Effect.die(error)
  })

/**
 * Bounds a read even if the server has gone silent: past its time it is left behind to be cancelled, not waited for
 * (interrupting a statement waits for the server's answer to the cancellation).
 */
export const withinSeconds =
  (seconds: number) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | DatabaseUnavailable, R> =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(self, { startImmediately: true })
      const cancel = Effect.asVoid(Effect.forkDetach(Fiber.interrupt(fiber)))
      const answer = yield* awaitWithGrace(fiber, seconds * 1_000).pipe(Effect.onInterrupt(() => cancel))
      if (Option.isSome(answer)) return yield* answer.value
      yield* cancel
      return yield* new DatabaseUnavailable({ retryAfter: 1 })
    })
