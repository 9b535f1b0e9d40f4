/** Sends the requests of a client: with the headers of their options, within a time, and again where that is safe. */
import { Duration, Effect, Random, Schedule } from "effect"
import { HttpClient } from "effect/http"
import { Draining, isUnavailable, type Unavailable } from "../../aggregate/CommandErrors.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Commands.ts"
import { ServerUnreachable } from "../../orders/OrdersError.ts"
import type { QueryOptions } from "../../orders/QueryOptions.ts"
import type { CommandHeaders, QueryHeaders } from "../api/HttpHeaders.ts"
import * as Failure from "./ClientFailure.ts"
import * as Headers from "./ClientHeaders.ts"
import * as Servers from "./Servers.ts"

/**
 * A request is sent again only if the server asks for a wait of at most so many seconds. A caller who would have to
 * wait longer should decide about it.
 */
const longestRetryAfter = 5

/** `ProjectionBehind` is not one of these: the caller has said how long to wait for a view. */
const isRetryable = (error: unknown): error is Unavailable | ServerUnreachable =>
  (isUnavailable(error) || error instanceof ServerUnreachable) && error.retryAfter <= longestRetryAfter

/** Waits as long as the server asks, and up to a quarter longer, so that its callers do not all come back at once. */
const afterRetryAfter = Schedule.modifyDelay(Schedule.forever, ({ input }) =>
  Effect.map(Random.nextBetween(1, 1.25), (jitter) =>
    Duration.seconds(isRetryable(input) ? input.retryAfter * jitter : 0)
  )
)

const retry = <A, E, R>(call: Effect.Effect<A, E, R>, times: number): Effect.Effect<A, E, R> =>
  Effect.retry(call, { while: (error) => isRetryable(error), times, schedule: afterRetryAfter })

/** The server has certainly done nothing, and another one may be better off. */
const isNothingDone = (error: unknown): boolean => error instanceof ServerUnreachable || error instanceof Draining

/** The server is away, which another one need not be. One that does not know the outcome itself has the database of all. */
const isAway = (error: unknown): boolean => isNothingDone(error) || Failure.isUnanswered(error)

export interface Options {
  readonly retries: number
  readonly timeout: Duration.Duration
  /** So many servers answer, at least 1 of each. */
  readonly servers?: { readonly command: number; readonly query: number }
}

export const make = ({ retries, servers = { command: 1, query: 1 }, timeout }: Options) => {
  const within = (wait: number) => Duration.sum(timeout, Duration.seconds(wait))

  /**
   * Sends a command again only under an idempotency key, or to another server if the one before has certainly done nothing.
   * `wait` is in seconds and adds to the time.
   */
  const command = Effect.fnUntraced(function* <A, E>(
    options: CommandOptions = {},
    call: (headers: CommandHeaders) => Effect.Effect<A, E>,
    wait = 0
  ) {
    const headers = yield* Headers.ofCommand(options)
    const once = Effect.timeoutOrElse(Failure.ofCommand(call(headers)), {
      duration: within(wait),
      orElse: () => Effect.fail(Failure.notAnswered())
    })
    const traced =
      headers.traceparent === undefined ? once : Effect.provideService(once, HttpClient.TracerPropagationEnabled, false)
    const isKeyed = options.idempotencyKey !== undefined
    const tried = Servers.tryEach(servers.command, traced, isKeyed ? isAway : isNothingDone)
    return yield* retry(tried, isKeyed ? retries : 0)
  })

  const read = <A, E>(call: Effect.Effect<A, E>, wait = 0) => {
    const once = Effect.timeoutOrElse(Failure.ofQuery(call), {
      duration: within(wait),
      orElse: () => Effect.fail(Failure.unreachable("its answer took too long"))
    })
    return retry(Servers.tryEach(servers.query, once, isAway), retries)
  }

  const query = Effect.fnUntraced(function* <A, E>(
    options: QueryOptions = {},
    call: (headers: QueryHeaders) => Effect.Effect<A, E>
  ) {
    return yield* read(call(yield* Headers.ofQuery(options)), Headers.waitOf(options))
  })

  return { command, query, read }
}
