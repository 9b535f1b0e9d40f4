/**
 * Brings a parked stream back: what was held back is read from the log and applied in order, a page per transaction, each
 * under the checkpoint's lock. In the one that finds nothing left up to the checkpoint, the stream is followed again:
 * until then the runner leaves it out, afterwards it does not, and the lock puts every event on one side or the other.
 */
import { type Cause, Effect, Exit } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import { withinSeconds } from "../../database/SqlFailure.ts"
import { bounded } from "../run/BoundedTransaction.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as LogPages from "../run/LogPages.ts"
import * as ParkedStreams from "./ParkedStreams.ts"
import { handles, type Projection } from "../Projection.ts"
import { ParkedElsewhere, RetryRefused, StillFailing, UnknownParkedStream } from "../ProjectionErrors.ts"
import * as ProjectionFailure from "../run/ProjectionFailure.ts"

/** One, where so many take too long for a transaction. */
type PageSize = 200 | 1

const key = ({ name, version }: Projection) => ({ name, version, slot: "live" as const })

/** The parked stream and the checkpoint, both locked; fails if it is not (any longer) parked, or by another version. */
const locked = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, projection: Projection, id: string) {
  const checkpoint = yield* Checkpoint.lock(sql, key(projection))
  const [parked] = yield* ParkedStreams.list(sql, id)
  if (checkpoint === undefined || parked === undefined || !parked.parked) return yield* new UnknownParkedStream({ id })
  if (checkpoint.version !== projection.version) {
    const problem = Checkpoint.otherVersion(checkpoint.version)
    return yield* new RetryRefused({ id, streamId: parked.streamId, problem })
  }
  return { checkpoint, parked }
})

/** Applies the events; one that fails alone is named, and those before it are applied. */
const applyUntilFailure = (
  sql: SqlClient.SqlClient,
  projection: Projection,
  events: ReadonlyArray<RecordedEvent>,
  isAlone: boolean
): Effect.Effect<ParkedStreams.Culprit | undefined, SqlError.SqlError> =>
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

/** One page; whether that was all. */
const applyPage = (sql: SqlClient.SqlClient, projection: Projection, id: string, page: PageSize) =>
  Effect.gen(function* () {
    const { checkpoint, parked } = yield* locked(sql, projection, id)
    const events = yield* LogPages.ofStream(sql, parked.streamId, parked.version, checkpoint.position, page)
    const handled = events.filter((event) => handles(projection, event))
    const culprit = yield* applyUntilFailure(sql, projection, handled, page === 1)
    if (culprit !== undefined) {
      yield* ParkedStreams.failsAt(sql, id, culprit)
      return { culprit, isDone: true }
    }
    const last = events.at(-1)
    if (last === undefined || events.length < page) {
      yield* ParkedStreams.unpark(sql, parked)
      return { culprit, isDone: true }
    }
    yield* ParkedStreams.reached(sql, id, { version: last.version + 1, position: last.position + 1n })
    return { culprit, isDone: false }
  }).pipe(sql.withTransaction, bounded)

/** Of a page of one event: it is that event which takes too long. It may be applied yet; then a retry finds it so. */
const overdue = <E>(sql: SqlClient.SqlClient, id: string, cause: Cause.Cause<E>) =>
  Effect.gen(function* () {
    const [parked] = ProjectionFailure.isOverdue(cause) ? yield* withinSeconds(6)(ParkedStreams.list(sql, id)) : []
    if (parked === undefined || !parked.parked) return yield* Effect.failCause(cause)
    const { streamId, version } = parked
    return yield* new StillFailing({ id, streamId, version, reason: "its transaction does not end in time" })
  })

/** Why a transaction of ours ended is for the caller; a defect is not the database's fault. */
export const retry = Effect.fn("ParkedRetry.retry")(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  id: string
) {
  let page: PageSize = 200
  const next = Effect.suspend(() => applyPage(sql, projection, id, page)).pipe(
    Effect.catchCause((cause) => {
      if (ProjectionFailure.kind(cause) !== "slow") return Effect.failCause(cause)
      if (page === 1) return overdue(sql, id, cause)
      page = 1
      return Effect.catchCause(applyPage(sql, projection, id, page), (cause) => overdue(sql, id, cause))
    })
  )
  let step = yield* next
  while (!step.isDone) step = yield* next
  if (step.culprit === undefined) return yield* Effect.logInfo("a parked stream is followed again")
  const { event, reason } = step.culprit
  return yield* new StillFailing({ id, streamId: event.streamId, version: event.version, reason })
})

/** Drops the event that fails (`version`, if given), whether or not it still would, then goes on as `retry`. */
export const skip = Effect.fn("ParkedRetry.skip")(function* (
  sql: SqlClient.SqlClient,
  projection: Projection,
  id: string,
  version: number | undefined
) {
  yield* Effect.gen(function* () {
    const { checkpoint, parked } = yield* locked(sql, projection, id)
    if (version !== undefined && version !== parked.version) {
      return yield* new ParkedElsewhere({ id, streamId: parked.streamId, version: parked.version, asked: version })
    }
    const [event] = yield* LogPages.ofStream(sql, parked.streamId, parked.version, checkpoint.position, 1)
    if (event === undefined) return yield* Effect.die(new Error(`${parked.streamId} has no event ${parked.version}`))
    if (projection.skip !== undefined) yield* projection.skip(sql, event, "live")
    yield* ParkedStreams.recordSkip(sql, key(projection), { event, reason: parked.reason })
    yield* ParkedStreams.reached(sql, id, { version: event.version + 1, position: event.position + 1n })
    yield* Effect.logWarning(`event ${event.version} of ${event.streamId} is skipped for good; its row is degraded`)
  }).pipe(sql.withTransaction, bounded)
  yield* retry(sql, projection, id)
})
