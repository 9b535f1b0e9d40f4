/**
 * Tells what a failed SQL statement means for its caller, and offers what callers then do: report the database as
 * unavailable, stop waiting, or try again with pauses. Other files read SQLSTATEs only through `sqlState`.
 */
import { Effect, Fiber, Option, Predicate, Schedule } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { DatabaseUnavailable } from "./DatabaseErrors.ts"
import { awaitWithGrace } from "./YieldToIo.ts"

/**
 * Says what became of a statement that failed.
 *
 * - `lost`: the connection went away; the statement may have taken effect or not.
 * - `transient`: the statement certainly had no effect; its environment is to blame, so it may work later.
 * - `data`: the statement certainly had no effect, and its data is to blame (SQLSTATE class 22, 23, 54).
 * - `bug`: the statement had no effect and never will.
 */
export type SqlFailure = "lost" | "transient" | "data" | "bug"

const property = (cause: unknown, key: string): string | undefined =>
  Predicate.hasProperty(cause, key) && typeof cause[key] === "string" ? cause[key] : undefined

/**
 * Returns the SQLSTATE; `undefined` unless the server sent it. Only the server states a severity: the errors of sockets
 * have codes too, and EPIPE looks just like a SQLSTATE.
 */
export const sqlState = (error: SqlError): string | undefined =>
  severityOf(error) === undefined ? undefined : property(error.reason.cause, "code")

const severityOf = ({ reason: { cause } }: SqlError) =>
  property(cause, "severityUnlocalized") ?? property(cause, "severity")

/** Returns the message of the server or the connection; the message of `SqlError` itself is always the same. */
export const messageOf = (error: SqlError): string => property(error.reason.cause, "message") ?? error.message

/**
 * A statement's environment is to blame for these SQLSTATEs, which are listed nowhere else: connections (08), the state
 * of the transaction or session (0A000: a cached plan that no longer fits, 25, 26), authorisation (28), names that are
 * gone and permissions (3D, 3F, 42), conflicts (40), resources and limits (53, 54), locks and states of objects (55),
 * operators (57), input and output (58), snapshots (72), configuration (F0), and internal errors (XX).
 */
const environmentStates = /^(?:08|0A000|25|26|28|3D|3F|40|42|53|54|55|57|58|72|F0|XX)/
/** Of these, nothing that a statement holds can be the cause, so that not even a single event is suspected. */
const passingStates = /^(?:08|0A000|25|26|28|40|53|55|57|58)/
const dataStates = /^(?:22|23|54)/
/** A connection pooler may report these: `transaction_resolution_unknown` and `statement_completion_unknown`. */
const unknownOutcomes = new Set(["08007", "40003"])
/**
 * The session can't be used any more, though it is connected: it is read-only (25006), in a transaction that failed or
 * was given up (25P0x), or has lost or outlived its prepared statements (26000, 0A000).
 */
const unusableSession = /^(?:25006|25P0|26000|0A000)/
const lockNotAvailable = "55P03"

export const classify = (error: SqlError): SqlFailure => {
  const { reason } = error
  if (reason.operation === "connect") return "transient"
  const state = sqlState(error)
  if (state === undefined) {
    if (reason._tag === "ConnectionError") return "lost"
    return property(reason.cause, "_tag") === "PgTypesCodecError" ? "data" : "bug"
  }
  const severity = severityOf(error)
  // The server may end a session with such an error after it has committed the session's statement.
  if (severity === "FATAL" || severity === "PANIC" || unknownOutcomes.has(state)) return "lost"
  if (dataStates.test(state)) return "data"
  return environmentStates.test(state) ? "transient" : "bug"
}

/**
 * Says who is to blame for a failed statement: `passing` states of the server or the connection, the `environment` for
 * want of evidence (a single event may cause these as well), or the `statement` itself, what it holds included.
 */
export const blame = (error: SqlError): "passing" | "environment" | "statement" => {
  const state = sqlState(error) ?? ""
  if (classify(error) === "lost" || error.reason.operation === "connect" || passingStates.test(state)) return "passing"
  return environmentStates.test(state) ? "environment" : "statement"
}

/** Tells whether the session, though connected, can do nothing any more: its owner connects anew. */
export const isSessionUnusable = (error: SqlError): boolean => unusableSession.test(sqlState(error) ?? "")

const unavailableOr =
  (isChange: boolean) =>
  <A, E, R>(self: Effect.Effect<A, E | SqlError, R>): Effect.Effect<A, Exclude<E, SqlError> | DatabaseUnavailable, R> =>
    Effect.catch(self, (error): Effect.Effect<never, Exclude<E, SqlError> | DatabaseUnavailable> => {
      if (!isSqlError(error)) return Effect.fail(error as Exclude<E, SqlError>)
      const failure = classify(error)
      if (failure === "data" || failure === "bug") return Effect.die(error)
      const isBusy = sqlState(error) === lockNotAvailable
      const unanswered = isChange && failure === "lost"
      return new DatabaseUnavailable({
        retryAfter: 1,
        ...(isBusy ? { isBusy } : {}),
        ...(unanswered ? { unanswered } : {}),
        cause: error
      })
    })

/** Fails with `DatabaseUnavailable` if the read may succeed later, and dies otherwise. */
export const orUnavailable = unavailableOr(false)

/**
 * Does as `orUnavailable` does, for a change, which may have been made if the connection was lost: it is then
 * `unanswered`.
 */
export const changeOrUnavailable = unavailableOr(true)

const within =
  (isChange: boolean) =>
  (seconds: number) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | DatabaseUnavailable, R> =>
    Effect.gen(function* () {
      const fiber = yield* Effect.forkDetach(self, { startImmediately: true })
      const cancel = Effect.asVoid(Effect.forkDetach(Fiber.interrupt(fiber)))
      const answer = yield* awaitWithGrace(fiber, seconds * 1_000).pipe(Effect.onInterrupt(() => cancel))
      if (Option.isSome(answer)) return yield* answer.value
      yield* cancel
      return yield* new DatabaseUnavailable({ retryAfter: 1, ...(isChange ? { unanswered: true } : {}) })
    })

/**
 * Bounds a read, also when the server has gone silent: when its time is up, the read is cancelled in the background,
 * because interrupting a statement waits until the server has answered the cancellation.
 */
export const withinSeconds = within(false)

/** Does as `withinSeconds` does, for a change, which may be made all the same. */
export const changeWithinSeconds = within(true)

/** Repeats for ever what must go on while the database is away: after 100 ms, doubling up to 1 s, with jitter. */
export const backoff = Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("1 second")]).pipe(
  Schedule.jittered
)
