/**
 * Implements `ParkedStreams` over the store. A retry reads from the log what was held back and applies it in order, a page
 * at a time. The transaction that finds nothing left up to the checkpoint follows the stream again: the runner leaves the
 * stream out until then and not afterwards, so the lock of the checkpoint puts every event on one side. A projection's page
 * is applied in that transaction, a subscription's before it.
 */
import { Array as Arr, type Cause, Effect, Exit, Layer } from "effect"
import { orUnavailable, withinSeconds } from "../../database/SqlFailure.ts"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as Checkpoint from "../Checkpoint.ts"
import {
  type Batch,
  type Consumer,
  handles,
  isSubscription,
  type Projection,
  type Subscription
} from "../Projection.ts"
import { ParkedElsewhere, RetryRefused, StillFailing, UnknownParkedStream } from "../ProjectionErrors.ts"
import { bounded, overdueOrUnavailable } from "../run/BoundedTransaction.ts"
import * as ProjectionFailure from "../run/ProjectionFailure.ts"
import { type ProjectionSession, ProjectionStore } from "../store/ProjectionStore.ts"
import type { Culprit } from "./ParkedRows.ts"
import { ParkedStreams } from "./ParkedStreams.ts"

/** A transaction applies so many events: one where a transaction of many takes too long. */
type PageSize = 200 | 1

const key = ({ name, version }: Consumer) => ({ name, version, slot: "live" as const })

/**
 * Locks the checkpoint and gives it with the parked stream. Fails with `UnknownParkedStream` if the stream is not
 * parked any more, and with `RetryRefused` if another version of the projection made the view.
 */
const lock = Effect.fnUntraced(function* (session: ProjectionSession, consumer: Consumer, id: string) {
  const checkpoint = yield* session.lock(key(consumer))
  const [parked] = yield* session.parked.list(id)
  if (checkpoint === undefined || parked === undefined || !parked.parked) return yield* new UnknownParkedStream({ id })
  if (checkpoint.version !== consumer.version) {
    const problem = Checkpoint.otherVersion(checkpoint.version)
    return yield* new RetryRefused({ id, streamId: parked.streamId, problem })
  }
  return { checkpoint, parked }
})

/**
 * Applies the events in order up to the first one that fails even by itself, and gives that event with the reason; gives
 * `undefined` if all of them are applied. Fails as `apply` does with what is nobody's fault.
 */
const applyUntilFailure = <E>(
  events: ReadonlyArray<RecordedEvent>,
  apply: (events: Batch) => Effect.Effect<void, E>,
  isOwn: (cause: Cause.Cause<E>) => boolean
): Effect.Effect<Culprit | undefined, E> =>
  Effect.gen(function* () {
    if (!Arr.isReadonlyArrayNonEmpty(events)) return undefined
    const exit = yield* Effect.exit(apply(events))
    if (Exit.isSuccess(exit)) return undefined
    if (!isOwn(exit.cause)) return yield* Effect.failCause(exit.cause)
    if (events.length === 1) return { event: events[0], reason: ProjectionFailure.reasonOf(exit.cause) }
    const middle = Math.ceil(events.length / 2)
    const culprit = yield* applyUntilFailure(events.slice(0, middle), apply, isOwn)
    return culprit ?? (yield* applyUntilFailure(events.slice(middle), apply, isOwn))
  })

/** Applies one page; `isDone` if nothing is left, or an event fails. */
const applyPage = (session: ProjectionSession, projection: Projection, id: string, size: PageSize) =>
  Effect.gen(function* () {
    const { checkpoint, parked } = yield* lock(session, projection, id)
    const events = yield* session.ofStream(parked.streamId, parked.version, checkpoint.position, size)
    const culprit = yield* applyUntilFailure(
      events.filter((event) => handles(projection, event)),
      (events) => session.transaction(Effect.suspend(() => session.apply(projection, events, "live"))),
      (cause) => {
        const kind = ProjectionFailure.kind(cause)
        return kind === "defect" || (kind === "slow" && size === 1)
      }
    )
    const last = events.at(-1)
    const isDone = culprit !== undefined || last === undefined || events.length < size
    if (culprit !== undefined) yield* session.parked.failsAt(id, culprit)
    else if (isDone) yield* session.parked.unpark(parked)
    else yield* session.parked.advance(id, last)
    return { culprit, isDone }
  }).pipe(session.transaction, bounded)

/** Whatever a handler fails with leaves the stream parked; what the database fails with is nobody's fault. */
const isOfHandler = (cause: Cause.Cause<unknown>) =>
  ProjectionFailure.isOfHandler(cause) || ProjectionFailure.kind(cause) === "defect"

/** Delivers one page, and then records that it did, unless somebody else has retried the stream meanwhile. */
const deliverPage = Effect.fnUntraced(function* (session: ProjectionSession, subscription: Subscription, id: string) {
  const size = Math.min(200, subscription.maxEvents)
  const { checkpoint, parked } = yield* lock(session, subscription, id).pipe(session.transaction, bounded)
  const events = yield* session.ofStream(parked.streamId, parked.version, checkpoint.position, size)
  const handled = events.filter((event) => handles(subscription, event))
  const culprit = yield* applyUntilFailure(handled, subscription.deliver, isOfHandler).pipe(
    Effect.catchTag(["Retry", "HandlerOverdue"], Effect.die)
  )
  return yield* Effect.gen(function* () {
    const now = yield* lock(session, subscription, id)
    if (now.parked.version !== parked.version) return { culprit: undefined, isDone: false }
    if (culprit !== undefined) {
      yield* session.parked.failsAt(id, culprit)
      return { culprit, isDone: true }
    }
    const next = parked.version + events.length
    const [left] = yield* session.ofStream(parked.streamId, next, now.checkpoint.position, 1)
    const last = events.at(-1)
    if (left === undefined) yield* session.parked.unpark(now.parked)
    else if (last !== undefined) yield* session.parked.advance(id, last)
    return { culprit, isDone: left === undefined }
  }).pipe(session.transaction, bounded)
})

/**
 * Fails with `StillFailing` if a transaction that applied only the event at which the stream is parked did not end in
 * time; fails with `cause` otherwise. That transaction may still be committed; the next retry then finds this out.
 */
const overdue = <E>(session: ProjectionSession, id: string, cause: Cause.Cause<E>) =>
  Effect.gen(function* () {
    const [parked] = ProjectionFailure.isOverdue(cause) ? yield* withinSeconds(6)(session.parked.list(id)) : []
    if (parked === undefined || !parked.parked) return yield* Effect.failCause(cause)
    const { streamId, version } = parked
    return yield* new StillFailing({ id, streamId, version, reason: "its transaction does not end in time" })
  })

/** Applies page after page to a projection, one event at a time from where a page takes too long. */
const pagesTo = (session: ProjectionSession, projection: Projection, id: string) => {
  let size: PageSize = 200
  return Effect.suspend(() => applyPage(session, projection, id, size)).pipe(
    Effect.catchCause((cause) => {
      if (ProjectionFailure.kind(cause) !== "slow") return Effect.failCause(cause)
      if (size === 1) return overdue(session, id, cause)
      size = 1
      return Effect.catchCause(applyPage(session, projection, id, size), (cause) => overdue(session, id, cause))
    })
  )
}

const retry = Effect.fnUntraced(function* (session: ProjectionSession, consumer: Consumer, id: string) {
  const { culprit } = yield* isSubscription(consumer)
    ? Effect.repeat(deliverPage(session, consumer, id), { until: ({ isDone }) => isDone })
    : Effect.repeat(pagesTo(session, consumer, id), { until: ({ isDone }) => isDone })
  if (culprit === undefined) return yield* Effect.logInfo("A parked stream is followed again.", { parked: id })
  const { event, reason } = culprit
  return yield* new StillFailing({ id, streamId: event.streamId, version: event.version, reason })
})

/** Drops the event that the stream is parked at, whether or not it would still fail, then goes on as `retry`. */
const skip = Effect.fnUntraced(function* (
  session: ProjectionSession,
  consumer: Consumer,
  id: string,
  version: number | undefined
) {
  yield* Effect.gen(function* () {
    const { checkpoint, parked } = yield* lock(session, consumer, id)
    if (version !== undefined && version !== parked.version) {
      return yield* new ParkedElsewhere({ id, streamId: parked.streamId, version: parked.version, asked: version })
    }
    const [event] = yield* session.ofStream(parked.streamId, parked.version, checkpoint.position, 1)
    if (event === undefined) {
      return yield* Effect.die(new Error(`The log has no event ${parked.version} of ${parked.streamId}.`))
    }
    if (!isSubscription(consumer)) yield* session.skip(consumer, event, "live")
    yield* session.parked.recordSkip(key(consumer), { event, reason: parked.reason })
    yield* session.parked.advance(id, event)
    yield* Effect.logWarning(`Event ${event.version} of ${event.streamId} is skipped for good.`)
  }).pipe(session.transaction, bounded)
  yield* retry(session, consumer, id)
})

/**
 * Tries the streams again that were parked because their event was unknown to the program that ran the projection then.
 * `ProjectionRunner` calls this when it has taken the lease: this program may be a newer one.
 */
export const retryUnknown = Effect.fnUntraced(function* (session: ProjectionSession, consumer: Consumer) {
  for (const id of yield* session.parked.unknown(consumer.name)) {
    yield* retry(session, consumer, id).pipe(
      Effect.catchTag(["StillFailing", "UnknownParkedStream", "RetryRefused"], () => Effect.void)
    )
  }
})

/** Offers the parked streams of these projections and subscriptions. */
export const layer = (consumers: () => ReadonlyArray<Consumer>) =>
  Layer.effect(
    ParkedStreams,
    Effect.gen(function* () {
      const { shared } = yield* ProjectionStore
      const parkedBy = Effect.fnUntraced(function* (id: string) {
        const [parked] = yield* shared.parked.list(id).pipe(orUnavailable, withinSeconds(6))
        const consumer = consumers().find(({ name }) => name === parked?.projection)
        return consumer ?? (yield* new UnknownParkedStream({ id }))
      })
      return ParkedStreams.of({
        list: shared.parked.list().pipe(orUnavailable, withinSeconds(6)),
        retry: Effect.fn("ParkedStreams.retry")(function* (id) {
          yield* retry(shared, yield* parkedBy(id), id).pipe(overdueOrUnavailable)
        }),
        skip: Effect.fn("ParkedStreams.skip")(function* (id, version) {
          yield* skip(shared, yield* parkedBy(id), id, version).pipe(overdueOrUnavailable)
        })
      })
    })
  )
