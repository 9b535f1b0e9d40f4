/**
 * Implements `ParkedStreams` in SQL. A retry reads from the log what was held back and applies it in order, a page per
 * transaction, each under the lock of the checkpoint. The transaction that finds nothing left up to the checkpoint
 * follows the stream again: the runner leaves the stream out until then and not afterwards, so the lock puts every
 * event on one side.
 */
import { type Cause, Effect, Exit, Layer } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { Database } from "../../database/Database.ts"
import { orUnavailable, withinSeconds } from "../../database/SqlFailure.ts"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as Checkpoint from "../Checkpoint.ts"
import { handles, type Projection } from "../Projection.ts"
import { ParkedElsewhere, RetryRefused, StillFailing, UnknownParkedStream } from "../ProjectionErrors.ts"
import { bounded, overdueOrUnavailable } from "../run/BoundedTransaction.ts"
import * as LogPages from "../run/LogPages.ts"
import * as ProjectionFailure from "../run/ProjectionFailure.ts"
import * as ParkedRows from "./ParkedRows.ts"
import { ParkedStreams } from "./ParkedStreams.ts"

/** A transaction applies so many events: one where a transaction of many takes too long. */
type PageSize = 200 | 1

const key = ({ name, version }: Projection) => ({ name, version, slot: "live" as const })

/**
 * Locks the checkpoint and gives it with the parked stream. Fails with `UnknownParkedStream` if the stream is not
 * parked any more, and with `RetryRefused` if another version of the projection made the view.
 */
const lock = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, projection: Projection, id: string) {
  const checkpoint = yield* Checkpoint.lock(sql, key(projection))
  const [parked] = yield* ParkedRows.list(sql, id)
  if (checkpoint === undefined || parked === undefined || !parked.parked) return yield* new UnknownParkedStream({ id })
  if (checkpoint.version !== projection.version) {
    const problem = Checkpoint.otherVersion(checkpoint.version)
    return yield* new RetryRefused({ id, streamId: parked.streamId, problem })
  }
  return { checkpoint, parked }
})

/**
 * Applies the events in order up to the first one that fails even in a transaction of its own, and gives that event
 * with the reason; gives `undefined` if all of them are applied.
 */
const applyUntilFailure = (
  sql: SqlClient.SqlClient,
  projection: Projection,
  events: ReadonlyArray<RecordedEvent>,
  isAlone: boolean
): Effect.Effect<ParkedRows.Culprit | undefined, SqlError.SqlError> =>
  Effect.gen(function* () {
    const [first, ...rest] = events
    if (first === undefined) return undefined
    const exit = yield* Effect.exit(
      sql.withTransaction(Effect.suspend(() => projection.handle(sql, [first, ...rest], "live")))
    )
    if (Exit.isSuccess(exit)) return undefined
    const kind = ProjectionFailure.kind(exit.cause)
    if (kind !== "defect" && !(kind === "slow" && isAlone)) return yield* Effect.failCause(exit.cause)
    if (rest.length === 0) return { event: first, reason: ProjectionFailure.reasonOf(exit.cause) }
    const middle = Math.ceil(events.length / 2)
    const culprit = yield* applyUntilFailure(sql, projection, events.slice(0, middle), false)
    return culprit ?? (yield* applyUntilFailure(sql, projection, events.slice(middle), false))
  })

/** Applies one page; `isDone` if nothing is left, or an event fails. */
const applyPage = (sql: SqlClient.SqlClient, projection: Projection, id: string, size: PageSize) =>
  Effect.gen(function* () {
    const { checkpoint, parked } = yield* lock(sql, projection, id)
    const events = yield* LogPages.ofStream(sql, parked.streamId, parked.version, checkpoint.position, size)
    const handled = events.filter((event) => handles(projection, event))
    const culprit = yield* applyUntilFailure(sql, projection, handled, size === 1)
    const last = events.at(-1)
    const isDone = culprit !== undefined || last === undefined || events.length < size
    if (culprit !== undefined) yield* ParkedRows.failsAt(sql, id, culprit)
    else if (isDone) yield* ParkedRows.unpark(sql, parked)
    else yield* ParkedRows.advance(sql, id, last)
    return { culprit, isDone }
  }).pipe(sql.withTransaction, bounded)

/**
 * Fails with `StillFailing` if a transaction that applied only the event at which the stream is parked did not end in
 * time; fails with `cause` otherwise. That transaction may still be committed; the next retry then finds this out.
 */
const overdue = <E>(sql: SqlClient.SqlClient, id: string, cause: Cause.Cause<E>) =>
  Effect.gen(function* () {
    const [parked] = ProjectionFailure.isOverdue(cause) ? yield* withinSeconds(6)(ParkedRows.list(sql, id)) : []
    if (parked === undefined || !parked.parked) return yield* Effect.failCause(cause)
    const { streamId, version } = parked
    return yield* new StillFailing({ id, streamId, version, reason: "its transaction does not end in time" })
  })

const retry = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, projection: Projection, id: string) {
  let size: PageSize = 200
  const next = Effect.suspend(() => applyPage(sql, projection, id, size)).pipe(
    Effect.catchCause((cause) => {
      if (ProjectionFailure.kind(cause) !== "slow") return Effect.failCause(cause)
      if (size === 1) return overdue(sql, id, cause)
      size = 1
      return Effect.catchCause(applyPage(sql, projection, id, size), (cause) => overdue(sql, id, cause))
    })
  )
  const { culprit } = yield* Effect.repeat(next, { until: ({ isDone }) => isDone })
  if (culprit === undefined) return yield* Effect.logInfo("A parked stream is followed again.", { parked: id })
  const { event, reason } = culprit
  return yield* new StillFailing({ id, streamId: event.streamId, version: event.version, reason })
})

/** Drops the event that the stream is parked at, whether or not it would still fail, then goes on as `retry`. */
const skip = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  id: string,
  version: number | undefined
) {
  yield* Effect.gen(function* () {
    const { checkpoint, parked } = yield* lock(sql, projection, id)
    if (version !== undefined && version !== parked.version) {
      return yield* new ParkedElsewhere({ id, streamId: parked.streamId, version: parked.version, asked: version })
    }
    const [event] = yield* LogPages.ofStream(sql, parked.streamId, parked.version, checkpoint.position, 1)
    if (event === undefined) {
      return yield* Effect.die(new Error(`The log has no event ${parked.version} of ${parked.streamId}.`))
    }
    if (projection.skip !== undefined) yield* projection.skip(sql, event, "live")
    yield* ParkedRows.recordSkip(sql, key(projection), { event, reason: parked.reason })
    yield* ParkedRows.advance(sql, id, event)
    yield* Effect.logWarning(`Event ${event.version} of ${event.streamId} is skipped for good; its row is degraded.`)
  }).pipe(sql.withTransaction, bounded)
  yield* retry(sql, projection, id)
})

/**
 * Tries the streams again that were parked because their event was unknown to the program that ran the projection then.
 * `ProjectionRunner` calls this when it has taken the lease: this program may be a newer one.
 */
export const retryUnknown = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, projection: Projection) {
  for (const id of yield* ParkedRows.unknown(sql, projection.name)) {
    yield* retry(sql, projection, id).pipe(
      Effect.catchTag(["StillFailing", "UnknownParkedStream", "RetryRefused"], () => Effect.void)
    )
  }
})

/** Offers the parked streams of these projections. */
export const layer = (projections: ReadonlyArray<Projection>) =>
  Layer.effect(
    ParkedStreams,
    Effect.gen(function* () {
      const { projections: sql } = yield* Database
      const parkedBy = Effect.fnUntraced(function* (id: string) {
        const [parked] = yield* ParkedRows.list(sql, id).pipe(orUnavailable, withinSeconds(6))
        const projection = projections.find(({ name }) => name === parked?.projection)
        return projection ?? (yield* new UnknownParkedStream({ id }))
      })
      return ParkedStreams.of({
        list: ParkedRows.list(sql).pipe(orUnavailable, withinSeconds(6)),
        retry: Effect.fn("ParkedStreams.retry")(function* (id) {
          yield* retry(sql, yield* parkedBy(id), id).pipe(overdueOrUnavailable)
        }),
        skip: Effect.fn("ParkedStreams.skip")(function* (id, version) {
          yield* skip(sql, yield* parkedBy(id), id, version).pipe(overdueOrUnavailable)
        })
      })
    })
  )
