/**
 * Gathers the events at the head of the log for the next commit of a projection, so that not each of them costs a commit.
 *
 * As long as nobody in this process waits for the view, commits are so far apart as `pauses` says; whoever waits for the
 * view gets it at once. In other processes, whoever waits for the view waits for this as well.
 */
import { Effect } from "effect"
import { maxPageSize, type RecordedEvent } from "../../eventstore/EventStore.ts"
import type { LogTail } from "../../eventstore/tail/LogTail.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import { type Batch, type Consumer, handles } from "../Projection.ts"

/** So many milliseconds are between two commits, with and without an event that the projection handles. */
const pauses = { handled: 20, unhandled: 100 }
/** Pages, and not events, are of bounded size: at most so many are in memory at once. */
const maxPages = 10

export interface Options {
  readonly projection: Consumer
  readonly tail: Pick<LogTail["Service"], "position">
  /** So many events are enough for a commit. */
  readonly limit: () => number
  /** Waits until somebody waits for the view. */
  readonly whenAwaited: Effect.Effect<void>
}

export const make = ({ limit, projection, tail, whenAwaited }: Options) => {
  let committedAt = -Infinity
  return {
    /** Pulls an event, waits until it is time for the next commit, and gives the events that are there by then. */
    next: Effect.fnUntraced(function* <E, R>(pull: Effect.Effect<Batch, E, R>) {
      const events: Array<RecordedEvent> = [...(yield* pull)]
      const pause = events.some((event) => handles(projection, event)) ? pauses.handled : pauses.unhandled
      const left = committedAt + pause - (yield* MonotonicClock.millis)
      if (events.length < maxPageSize && left > 0) yield* Effect.raceFirst(Effect.sleep(left), whenAwaited)
      const isBefore = (position: bigint) => events[events.length - 1]!.position < position
      for (let pages = 1; pages < maxPages && events.length < limit() && isBefore(yield* tail.position); pages++) {
        events.push(...(yield* pull))
      }
      return events
    }),
    committed: Effect.map(MonotonicClock.millis, (now) => {
      committedAt = now
    })
  }
}
