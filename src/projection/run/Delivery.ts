/**
 * How a batch reaches its consumer, and the checkpoint moves past it. `ProjectionBatch` decides what is in a batch.
 *
 * - A projection's rows and its checkpoint are written in one transaction, so each event counts once.
 * - A subscription's handler gets its events before the transaction that moves the checkpoint, and outside of any: it may
 *   take long and do anything, and whatever was not recorded is delivered again.
 */
import { Array as Arr, Duration, Effect } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as Checkpoint from "../Checkpoint.ts"
import {
  type Batch,
  type CheckpointKey,
  type Consumer,
  handles,
  isSubscription,
  type Projection,
  type Subscription
} from "../Projection.ts"
import { ProjectionLimits } from "../ProjectionLimits.ts"
import type { ProjectionSession } from "../store/ProjectionStore.ts"
import { bounded, TransactionOverdue } from "./BoundedTransaction.ts"
import { aloneIn, type PoisonEvents, type Suspect } from "./PoisonEvents.ts"
import type { Failure } from "./ProjectionFailure.ts"

/** The events that fail alone, by the id of their stream. */
export type Suspects = Map<string, Suspect>

interface Passed {
  readonly reached: Checkpoint.Checkpoint
  readonly suspects: Suspects
}

export interface Delivery {
  /** Hands events over. */
  handle(events: ReadonlyArray<RecordedEvent>): Effect.Effect<void, Failure>
  /** Hands events over, so that nothing of them is left in this pass if they fail. */
  attempt(events: Batch): Effect.Effect<void, Failure>
  /** Hands an event over that is not yet due, to see whether it gets through. */
  tryOut(event: RecordedEvent): Effect.Effect<void, Failure>
  /**
   * Gives `work` those events that are to be handled; then parks the streams that fail, and moves the checkpoint past all
   * events. If it fails, the checkpoint has not moved and nothing is parked.
   */
  pass<E>(
    from: Checkpoint.Checkpoint,
    events: Batch,
    options: { readonly repeatable: boolean },
    work: (handled: ReadonlyArray<RecordedEvent>, until: bigint) => Effect.Effect<Suspects, E>
  ): Effect.Effect<Passed, E | Failure>
}

const streamsOf = (events: ReadonlyArray<RecordedEvent>) => [...new Set(events.map((event) => event.streamId))]

const lastOf = (events: Batch) => events[events.length - 1]!

const parkAll = (session: ProjectionSession, key: CheckpointKey, suspects: Suspects) =>
  Effect.forEach(suspects.values(), (culprit) => session.parked.park(key, culprit), { discard: true })

/** Rolls a savepoint back in which an event got through that is not yet due. */
class OnlyTried {
  readonly _tag = "OnlyTried"
}

/** Who is delivered to, and by whom. */
export interface Target {
  readonly projection: Consumer
  readonly key: CheckpointKey
  /** The runner holds the lease under this name. */
  readonly owner: string
  /** It outlives the attempt, so that failures of the same event are counted together. */
  readonly poison: PoisonEvents
}

/**
 * Rows that are kept elsewhere have so much of a transaction's time, 3 s. The database of the log ends a session that is
 * idle in a transaction for 5 s, which would not tell that there was too much to do.
 */
const shareElsewhere = 0.3

const toProjection = (session: ProjectionSession, { key, owner, poison }: Target, projection: Projection): Delivery => {
  const handle = (events: ReadonlyArray<RecordedEvent>): Effect.Effect<void, Failure> => {
    if (!Arr.isReadonlyArrayNonEmpty(events)) return Effect.void
    const applied = Effect.suspend(() => session.apply(projection, events, key.slot))
    // One event can't be made fewer, and is not to blame for a place that is slow.
    if (projection.elsewhere === undefined || events.length === 1) return applied
    return Effect.flatMap(ProjectionLimits, ({ transaction }) =>
      Effect.timeoutOrElse(applied, {
        duration: Duration.times(transaction, shareElsewhere),
        orElse: () => Effect.fail(new TransactionOverdue())
      })
    )
  }

  /** Moves the checkpoint past the events, and gives those to be handled. */
  const begin = Effect.fnUntraced(function* (from: Checkpoint.Checkpoint, events: Batch, repeatable: boolean) {
    const to = lastOf(events)
    const { head, parked } = yield* session.advance(key, owner, from, to, { repeatable })
    const handled = events.filter((event) => handles(projection, event))
    const reached: Checkpoint.Checkpoint = { ...from, position: to.position, head, parked }
    if (parked === 0 || handled.length === 0) return { reached, handled }
    const isParked = yield* session.parked.among(key, streamsOf(handled))
    return { reached, handled: handled.filter((event) => !isParked.has(event.streamId)) }
  })

  return {
    handle,
    attempt: (events) => session.transaction(handle(events)),
    tryOut: (event) =>
      handle([event]).pipe(
        Effect.andThen(Effect.fail(new OnlyTried())),
        session.transaction,
        Effect.catchTag("OnlyTried", () => Effect.void)
      ),
    pass: (from, events, { repeatable }, work) =>
      Effect.gen(function* () {
        const { handled, reached } = yield* begin(from, events, repeatable)
        const suspects = yield* work(handled, reached.position)
        yield* parkAll(session, key, suspects)
        yield* session.reached(projection, key.slot, from, lastOf(events))
        return { reached, suspects }
      }).pipe(session.transaction, bounded, (transaction) => poison.watch(aloneIn(projection, events), transaction))
  }
}

const toSubscription = (session: ProjectionSession, { key, owner }: Target, subscription: Subscription): Delivery => {
  /** These positions behind the checkpoint are handled, so this attempt does not deliver them once more. */
  const delivered = new Set<bigint>()

  const deliver = (events: ReadonlyArray<RecordedEvent>): Effect.Effect<void, Failure> => {
    const due = events.filter(({ position }) => !delivered.has(position))
    if (!Arr.isReadonlyArrayNonEmpty(due)) return Effect.void
    return Effect.tap(subscription.deliver(due), () =>
      Effect.sync(() => due.forEach(({ position }) => delivered.add(position)))
    )
  }

  return {
    handle: deliver,
    attempt: deliver,
    tryOut: (event) => deliver([event]),
    pass: Effect.fnUntraced(function* (from, events, _, work) {
      // Whoever was paused or moved, or has lost the lease, hands nothing over any more.
      const now = yield* session.stored(key)
      const isOurs = now?.owner === owner && !now.paused && now.position === from.position
      if (!isOurs) return yield* new Checkpoint.CheckpointMoved()
      const handled = events.filter((event) => handles(subscription, event))
      const parkedAmong = (parked: number) =>
        parked === 0 || handled.length === 0
          ? Effect.succeed<ReadonlySet<string>>(new Set())
          : session.parked.among(key, streamsOf(handled))
      const isParked = yield* parkedAmong(now.parked)
      const to = lastOf(events)
      const suspects = yield* work(
        handled.filter((event) => !isParked.has(event.streamId)),
        to.position
      )
      const commit = Effect.gen(function* () {
        const { head, parked } = yield* session.advance(key, owner, from, to, { repeatable: false })
        // A stream that was followed again meanwhile lacks the events that were left out here.
        if ((yield* parkedAmong(parked)).size !== isParked.size) return yield* new Checkpoint.CheckpointMoved()
        yield* parkAll(session, key, suspects)
        return { ...from, position: to.position, head, parked: parked + suspects.size }
      })
      const reached = yield* commit.pipe(session.transaction, bounded)
      for (const position of delivered) if (position <= reached.position) delivered.delete(position)
      return { reached, suspects }
    })
  }
}

export const make = (session: ProjectionSession, target: Target): Delivery => {
  const { projection } = target
  return isSubscription(projection)
    ? toSubscription(session, target, projection)
    : toProjection(session, target, projection)
}
