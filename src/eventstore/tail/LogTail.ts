/**
 * One reader of the log per process, which fans out to projections, pushes and the actors.
 *
 * Invariant: every reader gets every event from its own `after + 1` on, in order, without a gap. Contiguity is asserted
 * at each hand-over; a gap that a second read confirms is a defect (`LogGap`), never skipped.
 *
 * It keeps the newest events in pages in memory; a reader further behind reads pages from the log itself. If the last
 * event is not found again where it was, what is kept is forgotten and whoever reads on from before fails.
 */
import { Array as Arr, Context, Deferred, Duration, Effect, Exit, Layer, PubSub, Semaphore, Stream } from "effect"
import { backoff } from "../../database/SqlFailure.ts"
import { EventStore, type RecordedEvent } from "../EventStore.ts"
import * as EventWaiters from "./EventWaiters.ts"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"

export type Page = Arr.NonEmptyReadonlyArray<RecordedEvent>

export class LogTail extends Context.Service<
  LogTail,
  {
    /** The log from `after + 1` on, for ever: what is there in pages, then what comes. Not filtered. */
    pages(after: bigint): Stream.Stream<Page, DatabaseUnavailable>
    /** What follows `after`, once there is something: at most `limit` (≤ 500) events. Who asks again keeps nothing. */
    page(after: bigint, limit: number): Effect.Effect<Page, DatabaseUnavailable>
    /**
     * Waits until there is an event after `after` that may be of interest. `passed` is told through which position there
     * is none, also if the wait is interrupted.
     */
    awaitInterest(
      interest: EventWaiters.Interest,
      after: bigint,
      passed: (through: bigint) => void
    ): Effect.Effect<void>
    /** The last position this process has seen; 0 before the first. */
    readonly position: Effect.Effect<bigint>
    /** Another number = the log was replaced by an older copy: positions of before mean other events now. */
    readonly history: Effect.Effect<number>
  }
>()("ordinal/eventstore/tail/LogTail") {
  static readonly layer: Layer.Layer<LogTail, DatabaseUnavailable, EventStore> = Layer.effect(
    LogTail,
    Effect.suspend(() => make)
  )
}

/** Two reads of the log did not agree that positions are contiguous: the log is damaged or the adapter is wrong. */
export class LogGap extends Error {
  constructor(after: bigint, found: bigint) {
    super(`the log continues at position ${found} after ${after}; nothing was skipped, the reader stopped`)
    this.name = "LogGap"
  }
}

/** Another event, or none, is where the last one was: an older copy was put in the log's place while this process ran. */
export class LogWentBack extends Error {
  constructor(read: bigint, head: bigint) {
    super(
      `the log was read up to position ${read} and is another one now, which ends at ${head}: it was replaced by an ` +
        "older copy; restart every process that uses it, then rebuild the projections"
    )
    this.name = "LogWentBack"
  }
}

/** Events, at most. */
export const pageSize = 500
/** A page of fewer events whose data as JSON is larger may have been cut off; a smaller one was the last. */
const largePage = 128 * 1024
const ringEvents = 10_000
const ringBytes = 16 * 1024 * 1024
const poll = Duration.millis(500)
const catchUpReads = 4

interface RingPage {
  readonly events: Page
  readonly bytes: number
}

const sizeOf = (events: ReadonlyArray<RecordedEvent>) =>
  events.reduce((sum, event) => sum + JSON.stringify(event.data).length, 0)

const gapOf = (after: bigint, events: ReadonlyArray<RecordedEvent>): bigint | undefined => {
  for (let index = 0; index < events.length; index++) {
    const found = events[index]!.position
    if (found !== after + BigInt(index) + 1n) return found
  }
  return undefined
}

const make = Effect.gen(function* () {
  const log = yield* EventStore
  const catchUp = yield* Semaphore.make(catchUpReads)
  const ring: Array<RingPage> = []
  let ringCount = 0
  let ringSize = 0
  let grown = Deferred.makeUnsafe<void>()
  const interests = EventWaiters.make()

  /** A contiguous page from the log, read twice before a gap is believed. */
  const readPage = Effect.fnUntraced(function* (after: bigint, limit = pageSize) {
    const read = log.readAll({ after, limit })
    const events = yield* read
    if (gapOf(after, events) === undefined) return events
    const again = yield* read
    const gap = gapOf(after, again)
    return gap === undefined ? again : yield* Effect.die(new LogGap(after, gap))
  })

  let tail = (yield* log.head).position
  /** Id of the event at `tail`, once it was read. */
  let last: string | undefined
  let history = 0

  /** Wakes everybody who waits for the log to grow. */
  const wake = (result: Effect.Effect<void>) => {
    const waiting = grown
    grown = Deferred.makeUnsafe()
    Deferred.doneUnsafe(waiting, result)
  }

  /** The size of its data, as JSON. */
  const remember = (events: Page): number => {
    const bytes = sizeOf(events)
    ring.push({ events, bytes })
    ringCount += events.length
    ringSize += bytes
    while (ring.length > 1 && (ringCount > ringEvents || ringSize > ringBytes)) {
      const oldest = ring.shift()!
      ringCount -= oldest.events.length
      ringSize -= oldest.bytes
    }
    const { eventId, position } = events[events.length - 1]!
    tail = position
    last = eventId
    interests.passed(events)
    wake(Effect.void)
    return bytes
  }

  /** From as many pages as it takes: each holds what one read found, which may be a single commit. */
  const remembered = (after: bigint, limit: number): ReadonlyArray<RecordedEvent> => {
    const first = ring.findLastIndex(({ events }) => events[0].position <= after + 1n)
    const events: Array<RecordedEvent> = []
    for (let index = first; index < ring.length && events.length < limit; index++) {
      const page = ring[index]!.events
      const start = index === first ? Number(after + 1n - page[0].position) : 0
      events.push(...page.slice(start, start + limit - events.length))
    }
    return events
  }

  const subscription = yield* PubSub.subscribe(log.grown)
  const growth = PubSub.take(subscription).pipe(Effect.timeoutOption(poll))

  /** What is kept means nothing any more; whoever waits, or comes with a position of before, has to begin anew. */
  const forget = Effect.flatMap(log.head, ({ position }) => {
    const error = new LogWentBack(tail, position)
    ring.length = 0
    ringCount = 0
    ringSize = 0
    tail = position
    last = undefined
    history++
    wake(Effect.die(error))
    interests.end(Effect.die(error))
    return Effect.logError(error)
  })

  /** The event at `tail` is read once more with what follows it: it must be the same. */
  const follow = Effect.gen(function* () {
    const page = yield* readPage(tail > 0n ? tail - 1n : 0n)
    const [known, ...after] = page
    if (tail > 0n && (known?.position !== tail || (last !== undefined && known.eventId !== last))) return yield* forget
    if (tail > 0n) last = known?.eventId
    const events = tail > 0n ? after : page
    if (!Arr.isReadonlyArrayNonEmpty(events)) return yield* growth
    const bytes = remember(events) + (known === events[0] ? 0 : sizeOf([known!]))
    // What came after the last page has left a hint.
    if (page.length < pageSize && bytes < largePage) yield* growth
  })
  let broken: Effect.Effect<never> | undefined
  yield* follow.pipe(
    Effect.forever,
    Effect.tapError((error) => Effect.logWarning("the log can't be followed for now", error)),
    Effect.retry(backoff),
    Effect.onExit((exit) => {
      if (Exit.hasInterrupts(exit)) return Effect.void
      broken = Effect.die(new Error("the log is no longer followed", { cause: exit }))
      wake(broken)
      interests.end(broken)
      return Effect.logError("the log is no longer followed", exit)
    }),
    Effect.forkScoped
  )

  const next = Effect.fnUntraced(function* (after: bigint, limit = pageSize) {
    while (true) {
      const oldest = ring[0]?.events[0].position
      if (oldest !== undefined && after + 1n >= oldest && after < tail) {
        const events = remembered(after, limit)
        if (Arr.isReadonlyArrayNonEmpty(events)) return events
      } else if (after < tail) {
        const events = yield* Semaphore.withPermit(catchUp, readPage(after, limit))
        yield* Effect.yieldNow
        if (Arr.isReadonlyArrayNonEmpty(events)) return events
      }
      if (broken !== undefined) return yield* broken
      yield* Deferred.await(grown)
    }
  })

  return LogTail.of({
    position: Effect.sync(() => tail),
    page: next,
    history: Effect.sync(() => history),
    awaitInterest: (interest, after, passed) =>
      Effect.callback((resume) => {
        // What is there already is for the reader to look through. No event gets in between this and what follows.
        if (after < tail || broken !== undefined) return resume(Effect.void)
        let isOver = false
        const leave = interests.enter(interest, (found) => {
          isOver = true
          if (Effect.isEffect(found)) return resume(found)
          passed(found.position - 1n)
          resume(Effect.void)
        })
        return Effect.sync(() => {
          if (isOver) return
          leave()
          passed(tail)
        })
      }),
    pages: (after) =>
      Stream.suspend(() => {
        const began = history
        return Stream.unfold(after, (after) =>
          Effect.suspend(() => (history === began ? next(after) : Effect.die(new LogWentBack(after, tail)))).pipe(
            Effect.map((events) => [events, events[events.length - 1]!.position] as const)
          )
        )
      })
  })
})
