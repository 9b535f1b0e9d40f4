/**
 * Has a streaming replica answer the reads of a view, and the primary those that the replica can't.
 *
 * Invariant: an answer is never older than its token, or than what this process has let out of the view before, from
 * wherever. A read that demands more than the replica has waits for the replica's own checkpoint, for `wait` at most. A
 * replica that is away, too far behind, promoted or of another history is not asked until it is found fit again: one fiber
 * looks at it each second and after each read that failed, and compares it with the primary. If the primary can't be asked, the
 * replica stays what it was.
 */
import { Cause, Duration, Effect, Exit, Option, Queue } from "effect"
import type { SqlClient } from "effect/sql"
import { Database } from "../../database/Database.ts"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import * as OpenTransaction from "../../database/OpenTransaction.ts"
import { messageOf, orUnavailable, withinSeconds } from "../../database/SqlFailure.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import * as Metrics from "../../telemetry/Metrics.ts"
import * as Checkpoint from "../Checkpoint.ts"
import { type ConsistencyToken, InvalidToken, ProjectionBehind } from "../consistency/ConsistencyToken.ts"
import * as ProjectionProgress from "../consistency/ProjectionProgress.ts"
import type { ProjectionKey } from "../Projection.ts"
import { selectPositions } from "../store/SqlProjectionStore.ts"
import { LetOut } from "./LetOut.ts"
import { type Freshness, InvalidCursor, type TokenError } from "./ViewQuery.ts"

/** A replica that has not answered within so many seconds is not waited for. */
const longestAnswer = 1
const lookEvery = "1 second"

type Fresh = { readonly freshness: Freshness }

interface Look extends Pick<Checkpoint.Lag, "eventId" | "logId" | "position"> {
  readonly isReplica: boolean
  /** The id of the event at the position that was asked for; null if the log has none there. */
  readonly eventAt: string | null
}

const look = (sql: SqlClient.SqlClient, projection: ProjectionKey, at: bigint) =>
  sql<Look>`
    SELECT f."position", f."logId", f."eventId", pg_is_in_recovery() AS "isReplica",
      (SELECT e.event_id FROM ordinal.events e WHERE e."position" = ${at}) AS "eventAt"
    FROM (${Checkpoint.lag(sql, projection)}) f`.pipe(
    Effect.flatMap(([found]) =>
      found === undefined ? Effect.die(new Error("The log has no head.")) : Effect.succeed(found)
    )
  )

export const make = Effect.fnUntraced(function* (
  replica: NonNullable<Database["Service"]["replica"]>,
  projection: ProjectionKey
) {
  const { reads: primary } = yield* Database
  const own = yield* ProjectionProgress.ProjectionProgress
  const positions = withinSeconds(longestAnswer)(selectPositions(replica.sql))
  const there = yield* ProjectionProgress.over(positions, "replica-watcher")
  const count = yield* Metrics.replicaReads
  for (const outcome of ["answered", "behind", "failed", "refused", "away"]) count.prepare(outcome)
  const outage = OutageLog.make("Reading the replica")
  const letOut = yield* LetOut
  let isServing = false
  /** A read that failed may have been too much, or in the way of what the replica applies; the guard looks which it is. */
  const failures = yield* Queue.sliding<void>(1)
  const lookAtOnce = Effect.sync(() => void Queue.offerUnsafe(failures, undefined))
  const leave = (reason: string) =>
    Effect.suspend(() => {
      isServing = false
      there.forget(projection)
      return outage.failed(`${reason}. Reads go to the primary meanwhile.`)
    })

  const behind = leave(`it is more than ${Duration.format(replica.wait)} behind`)

  /** Waits, for as long as reads do, until the replica has applied the log up to here. */
  const reaches = (position: bigint) =>
    Effect.flatMap(there.position(projection), (known) =>
      known >= position
        ? Effect.succeed(true)
        : Effect.map(Effect.timeoutOption(there.awaitPosition(projection, position), replica.wait), Option.isSome)
    )

  /** Says why the replica can't serve; undefined if it can. Fails if the primary can't be asked. */
  const problem = Effect.gen(function* () {
    const found = yield* look(replica.sql, projection, -1n).pipe(
      Effect.mapError(messageOf),
      withinSeconds(longestAnswer),
      Effect.mapError((error) => (error instanceof DatabaseUnavailable ? "it does not answer" : error)),
      Effect.result
    )
    if (found._tag === "Failure") return leave(found.failure)
    const { eventId, isReplica, logId, position } = found.success
    if (!isReplica) return leave("it was promoted, and is no replica any more")
    const known = yield* look(primary, projection, position).pipe(orUnavailable, withinSeconds(6))
    if (known.logId !== logId || (position > 0n && known.eventAt !== eventId)) {
      return leave("its log is another one than the primary's")
    }
    return (yield* reaches(known.position)) ? undefined : behind
  })

  const guard = problem.pipe(
    Effect.flatMap((unfit) => {
      if (unfit !== undefined) return unfit
      isServing = true
      return outage.works
    }),
    Effect.catchTag("DatabaseUnavailable", () => Effect.void),
    Effect.andThen(Effect.raceFirst(Effect.sleep(lookEvery), Queue.take(failures))),
    Effect.forever
  )
  yield* supervise("replica-guard", guard)

  /** Asks the replica; gives nothing if the primary has to be asked. */
  const fromReplica = Effect.fnUntraced(function* <A extends Fresh, E>(required: bigint, ask: Effect.Effect<A, E>) {
    const without = (outcome: string, then: Effect.Effect<void> = Effect.void) =>
      Effect.as(then, (count(1, outcome), Option.none<A>()))
    if (!isServing) return yield* without("away")
    if (!(yield* reaches(required))) return yield* without("behind", behind)
    const exit = yield* Effect.exit(Effect.timeoutOption(ask, Duration.seconds(longestAnswer)))
    if (Exit.isSuccess(exit)) {
      if (Option.isNone(exit.value)) return yield* without("failed", lookAtOnce)
      const { position } = exit.value.value.freshness
      if (position < required) return yield* without("behind", behind)
      there.committed(projection, position)
      // A process that runs no projections knows of no other position once the replica is away.
      own.committed(projection, position)
      count(1, "answered")
      return exit.value
    }
    if (Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
    const error = Cause.squash(exit.cause)
    // The primary says so too, if the caller is to blame.
    if (error instanceof InvalidToken || error instanceof InvalidCursor) return yield* without("refused")
    if (error instanceof ProjectionBehind) return yield* without("behind", behind)
    return yield* without("failed", lookAtOnce)
  })

  /** Reads on the replica or else on the primary, which inside of a transaction on it is the only one. */
  const read = <A extends Fresh, E>(
    token: ConsistencyToken | undefined,
    onReplica: Effect.Effect<A, E>,
    onPrimary: Effect.Effect<A, E>
  ): Effect.Effect<A, E | TokenError> =>
    Effect.gen(function* () {
      const told = letOut.position()
      const demanded = token?.position ?? 0n
      const isInside = yield* OpenTransaction.isOf(primary)
      const found = isInside ? Option.none<A>() : yield* fromReplica(demanded > told ? demanded : told, onReplica)
      if (Option.isNone(found)) return yield* letOut.atLeast(told, onPrimary)
      letOut.tell(found.value.freshness.position)
      return found.value
    })

  /** Whoever waits for a position then reads the replica, so it is waited for as well. */
  const awaitPosition = (position: bigint) => {
    const thereToo = Effect.flatMap(own.awaitPosition(projection, position), (reached) => {
      if (!isServing) return Effect.succeed(reached)
      return Effect.flatMap(reaches(position), (is) => Effect.as(is ? Effect.void : behind, reached))
    })
    return Effect.suspend(() =>
      isServing ? Effect.raceFirst(there.awaitPosition(projection, position), thereToo) : thereToo
    )
  }

  return {
    read,
    /** What the replica is known to have applied. */
    progress: there,
    /** Up to here the view is let out by pushes, which later answers must not be older than. */
    position: Effect.tap(
      Effect.suspend(() => (isServing ? there : own).position(projection)),
      (position) => Effect.sync(() => letOut.tell(position))
    ),
    awaitPosition
  }
})
