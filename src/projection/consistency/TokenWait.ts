/** "At least this fresh": waits until a view holds what a consistency token stands for. */
import { Duration, Effect, Option } from "effect"
import type { EventStore } from "../../eventstore/EventStore.ts"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import * as ConsistencyToken from "./ConsistencyToken.ts"
import * as ConsistencyWait from "./ConsistencyWait.ts"
import { ProjectionBehind } from "./ProjectionBehind.ts"

export const longest = Duration.seconds(30)

export const bounded = (wait: Duration.Input = "2 seconds"): Duration.Duration =>
  Duration.min(Duration.fromInputUnsafe(wait), longest)

/** How far the view is, as this process knows without asking, and how to wait for it. */
export interface Progress {
  readonly position: Effect.Effect<bigint>
  awaitPosition(position: bigint): Effect.Effect<bigint>
}

/** The position of a token that `log`, whose id is `logId`, has issued. `known`: a position that it has reached for certain. */
export const issued =
  (log: EventStore["Service"], logId: string) =>
  (token: string, known: bigint): Effect.Effect<bigint, ConsistencyToken.InvalidToken | DatabaseUnavailable> =>
    Effect.gen(function* () {
      const { logId: issuer, position } = yield* Effect.fromResult(ConsistencyToken.parse(token))
      const invalid = new ConsistencyToken.InvalidToken({ token })
      if (issuer !== logId) return yield* invalid
      if (known < position && (yield* log.head).position < position) return yield* invalid
      return position
    })

/** `logId`: of `log`. */
export const make =
  (log: EventStore["Service"], logId: string, progress: Progress) =>
  /** The token's position, once the view is there. `wait`: for how long; default 2 s, at most 30 s. */
  (
    token: string,
    wait?: Duration.Input
  ): Effect.Effect<bigint, ConsistencyToken.InvalidToken | ProjectionBehind | DatabaseUnavailable> =>
    Effect.gen(function* () {
      const position = yield* progress.position
      const required = yield* issued(log, logId)(token, position)
      if (position >= required) return required
      const measured = yield* ConsistencyWait.measured
      const reached = yield* progress.awaitPosition(required).pipe(Effect.timeoutOption(bounded(wait)), measured)
      if (Option.isSome(reached)) return required
      const current = yield* progress.position
      return yield* new ProjectionBehind({ required, current, retryAfter: 1 })
    })
