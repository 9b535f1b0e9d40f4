/**
 * Hands the log to all readers in this process: projections, subscriptions and actors. What this process appends comes
 * from memory; what other processes append is read once.
 *
 * Every reader gets every event from its own `after + 1` on, in order, without a gap. `LogEnd` keeps the newest events;
 * a reader further behind reads pages from the store. At least every 500 ms the tail compares what it knows with the
 * log: if the log was replaced, readers that began before fail. Whatever else the tail fails with, it tries again.
 */
import {
  Array as Arr,
  Cause,
  Clock,
  Context,
  Deferred,
  Duration,
  Effect,
  Layer,
  PubSub,
  Semaphore,
  Stream
} from "effect"
import { isSqlError } from "effect/sql/SqlError"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { backoff, messageOf as sqlMessageOf } from "../../database/SqlFailure.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import * as EventRow from "../EventRow.ts"
import { EventStore, maxPageSize } from "../EventStore.ts"
import * as EventWaiters from "./EventWaiters.ts"
import * as LogEnd from "./LogEnd.ts"
import { LogGap, LogWentBack } from "./LogErrors.ts"
import * as RecentEvents from "./RecentEvents.ts"

type EventPage = RecentEvents.EventPage

export class LogTail extends Context.Service<
  LogTail,
  {
    /** Streams the log from position `after + 1` on and never ends: first pages of what is there, then what comes. */
    pages(after: bigint): Stream.Stream<EventPage, DatabaseUnavailable>
    /** Waits until there is an event after position `after`; returns at most `limit` (≤ 500) events that follow. */
    page(after: bigint, limit: number): Effect.Effect<EventPage, DatabaseUnavailable>
    /**
     * Waits until an event after position `after` may be one of the stream, or of the owner's streams. Calls `passed` with the
     * position through which none does, also if the wait is interrupted.
     */
    awaitEvent(
      wanted: EventWaiters.StreamOrOwner,
      after: bigint,
      passed: (through: bigint) => void
    ): Effect.Effect<void>
    /** Gives the last position that this process has seen; 0 before the first event. */
    readonly position: Effect.Effect<bigint>
    /**
     * Tells whether this process can read the log: it could within the last two seconds. While it can't, it should leave
     * to others what only one process does.
     */
    readonly isReading: Effect.Effect<boolean>
    /**
     * Tells whether this process has read the log within the last second, and at its last try. While it has not, the log may be
     * another one, so nothing should be answered from what is known of it.
     */
    readonly isFollowing: Effect.Effect<boolean>
    /** Counts how often the log was replaced: a position means the same event only within one timeline. */
    readonly timeline: Effect.Effect<number>
  }
>()("ordinal/eventstore/tail/LogTail") {
  static readonly layer: Layer.Layer<LogTail, DatabaseUnavailable, EventStore> = Layer.effect(
    LogTail,
    Effect.suspend(() => make)
  )
}

/** The store ends a page early when its events are large, so a page of this size in bytes may not be the last one. */
const largePage = 128 * 1024
const pollInterval = Duration.millis(500)
/** The tail reads several times in so many nanoseconds, if it can. */
const unreadAfter = 2_000_000_000n
const lateAfter = 1_000_000_000n
/** At most this many pages are read at once for readers that are behind what is in memory. */
const catchUpReads = 4

const messageOf = (cause: Cause.Cause<DatabaseUnavailable>): string => {
  const error = Cause.squash(cause)
  const inner = error instanceof DatabaseUnavailable && isSqlError(error.cause) ? error.cause : error
  return isSqlError(inner) ? sqlMessageOf(inner) : inner instanceof Error ? inner.message : String(inner)
}

const make = Effect.gen(function* () {
  const store = yield* EventStore
  const hints = yield* PubSub.subscribe(store.grown)
  const awaitHint = PubSub.take(hints).pipe(Effect.timeoutOption(pollInterval))
  const catchUp = yield* Semaphore.make(catchUpReads)
  const waiters = EventWaiters.make()
  let timeline = 0
  /** Whoever waits for the end to move awaits this; each change replaces it. */
  let moved = Deferred.makeUnsafe<void>()
  const clock = yield* Clock.Clock
  const outage = OutageLog.make("Reading the log")
  let readAt = clock.monotonicTimeNanosUnsafe()

  const wakeReaders = (result: Effect.Effect<void>) => {
    const waiting = moved
    moved = Deferred.makeUnsafe()
    Deferred.doneUnsafe(waiting, result)
  }

  const log = LogEnd.make((yield* store.head).position, (events) => {
    waiters.notify(events)
    wakeReaders(Effect.void)
  })
  /** The last event that was seen in the log itself; own events have come since. */
  let seen: LogEnd.Point = log.end()
  /** The session of the last own append, and the last one behind which the log was found to be the same. */
  let session = 0
  let verified = 0
  yield* (
    store.onAppended?.((events, bytes, since) => {
      session = since
      if (since !== verified || !log.offer(events, bytes)) PubSub.publishUnsafe(store.grown, undefined)
    }) ?? Effect.void
  )

  /** Reads a contiguous page; believes in a gap only when a second read confirms it. */
  const readPage = Effect.fnUntraced(function* (after: bigint, limit = maxPageSize) {
    const read = store.readAll({ after, limit })
    const events = yield* read
    if (RecentEvents.gapOf(after, events) === undefined) return events
    const again = yield* read
    const gap = RecentEvents.gapOf(after, again)
    return gap === undefined ? again : yield* Effect.die(new LogGap(after, gap))
  })

  /** Forgets all events, which mean nothing in the new log, and fails everybody who waits. */
  const startTimeline = Effect.flatMap(store.head, (head) => {
    const error = new LogWentBack(log.end().position, head.position)
    log.replace(head.position)
    seen = log.end()
    timeline++
    wakeReaders(Effect.die(error))
    waiters.end(Effect.die(error))
    return Effect.logError(error)
  })

  const hasRead = Effect.suspend(() => {
    readAt = clock.monotonicTimeNanosUnsafe()
    return outage.works
  })

  /** Tells whether the log still has the event that was last seen in it. */
  const isStillThere = Effect.suspend(() => {
    const { eventId, position } = seen
    if (position === 0n || eventId === undefined) return Effect.succeed(true)
    return Effect.map(readPage(position - 1n, 1), ([event]) => event?.eventId === eventId)
  })

  /**
   * Reads what follows the end, and the event at it once more, which must still be the same. So must the one that the
   * last read ended with: an own append may have continued a log that was replaced meanwhile.
   */
  const follow = Effect.gen(function* () {
    const begun = session
    const { eventId, position } = log.end()
    const page = yield* readPage(position === 0n ? 0n : position - 1n)
    const isSame =
      position === 0n || (page[0]?.position === position && (eventId ?? page[0].eventId) === page[0].eventId)
    const isOfSeen = position === seen.position || (yield* isStillThere)
    verified = begun
    if (!isSame || !isOfSeen || log.wentBack()) return yield* Effect.andThen(startTimeline, hasRead)
    yield* hasRead
    if (!Arr.isReadonlyArrayNonEmpty(page)) return yield* awaitHint
    seen = page[page.length - 1]!
    log.read(page)
    if (log.wentBack()) return yield* startTimeline
    // If the page was the last one, whatever came after it has published a hint.
    if (page.length < maxPageSize && EventRow.bytesOf(page) < largePage) yield* awaitHint
  })

  const followForEver = follow.pipe(
    Effect.forever,
    Effect.tapCause((cause) => outage.failed(messageOf(cause), Cause.hasDies(cause) ? cause : undefined)),
    Effect.sandbox,
    Effect.retry(backoff)
  )
  yield* supervise("log-tail", followForEver)

  const page: LogTail["Service"]["page"] = Effect.fnUntraced(function* (after, limit) {
    while (true) {
      const kept = log.after(after, limit)
      if (Arr.isReadonlyArrayNonEmpty(kept)) return kept
      if (after < log.end().position) {
        const events = yield* Semaphore.withPermit(catchUp, readPage(after, limit))
        yield* Effect.yieldNow
        if (Arr.isReadonlyArrayNonEmpty(events)) return events
      }
      yield* Deferred.await(moved)
    }
  })

  const pages: LogTail["Service"]["pages"] = (after) =>
    Stream.suspend(() => {
      const begun = timeline
      return Stream.unfold(after, (after) =>
        Effect.suspend(() => {
          if (timeline !== begun) return Effect.die(new LogWentBack(after, log.end().position))
          return Effect.map(
            page(after, maxPageSize),
            (events) => [events, events[events.length - 1]!.position] as const
          )
        })
      )
    })

  const awaitEvent: LogTail["Service"]["awaitEvent"] = (wanted, after, passed) =>
    Effect.callback((resume) => {
      // Events that are there already are left to the caller. No event can come between this look and the wait.
      if (after < log.end().position) return resume(Effect.void)
      let isOver = false
      const leave = waiters.add(wanted, (found) => {
        isOver = true
        if (Effect.isEffect(found)) return resume(found)
        passed(found.position - 1n)
        resume(Effect.void)
      })
      return Effect.sync(() => {
        if (isOver) return
        leave()
        passed(log.end().position)
      })
    })

  return LogTail.of({
    pages,
    page,
    awaitEvent,
    position: Effect.sync(() => log.end().position),
    isReading: Effect.sync(() => clock.monotonicTimeNanosUnsafe() - readAt < unreadAfter),
    isFollowing: Effect.sync(() => !outage.isFailing() && clock.monotonicTimeNanosUnsafe() - readAt < lateAfter),
    timeline: Effect.sync(() => timeline)
  })
})
