/**
 * The log for one subscriber: what is there, then what comes, filtered, in order, without a gap and never ahead of the
 * order view unsaid.
 *
 * It keeps a position and no events: each pull asks the tail for a small page, so a subscriber that takes its time costs
 * nothing while it does, and one that is slow reads from the log what memory has let go.
 */
import { Array as Arr, type Cause, Clock, Effect, Option } from "effect"
import type { Interest } from "../eventstore/tail/EventWaiters.ts"
import { type LogTail, LogWentBack, type Page } from "../eventstore/tail/LogTail.ts"
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { PositionLatch } from "../projection/consistency/PositionLatch.ts"
import type { OrderQueries } from "../views/order/OrderQueries.ts"

export type Fed =
  | { readonly _tag: "Event"; readonly event: RecordedEvent; readonly ahead: boolean }
  | { readonly _tag: "CaughtUp"; readonly position: bigint }
  | { readonly _tag: "Heartbeat"; readonly position: bigint }

export interface FeedOptions {
  readonly after: bigint
  readonly matches: (event: RecordedEvent) => boolean
  /** What all that matches has in common: nothing else wakes the subscriber up. */
  readonly interest?: Interest
  /** Milliseconds. */
  readonly heartbeat: number
  /** Milliseconds between two pulls of new events: what comes meanwhile goes out together, a single one at once. */
  readonly pause: number
}

/** Of the first page; then as many as fit, so that little is read in vain where events are large. */
const firstEvents = 16

/** Milliseconds: a subscriber that has not been told where it began by then hears it, lest it begins later next time. */
const firstBeat = 250

/** Most of what one pull gives. */
export const maxEvents = 128
export const maxBytes = 64 * 1024

const sizes = new WeakMap<RecordedEvent, number>()

const sizeOf = (event: RecordedEvent): number => {
  const known = sizes.get(event)
  if (known !== undefined) return known
  const size = JSON.stringify(event.data).length
  sizes.set(event, size)
  return size
}

/** The first of them that together are not too much; at least one. */
const bounded = (events: ReadonlyArray<RecordedEvent>): ReadonlyArray<RecordedEvent> => {
  let bytes = 0
  const end = events.findIndex((event, index) => (bytes += sizeOf(event)) > maxBytes && index > 0)
  return end < 0 ? events : events.slice(0, end)
}

interface Taken {
  readonly items: Arr.NonEmptyReadonlyArray<Fed>
  readonly position: bigint
}

/** Each pull waits for the next items. Interrupted, it has lost nothing. */
export const make = (
  tail: LogTail["Service"],
  gate: PositionLatch,
  queries: Pick<OrderQueries["Service"], "position">,
  { after, heartbeat, interest, matches, pause }: FeedOptions
): Effect.Effect<Effect.Effect<Arr.NonEmptyReadonlyArray<Fed>, DatabaseUnavailable | Cause.Done>> =>
  Effect.map(Effect.all([Clock.currentTimeMillis, tail.history]), ([now, history]) => {
    let position = after
    let isCaughtUp = false
    let nextBeat = now + Math.min(firstBeat, heartbeat)
    let hasBegun = false
    let notBefore = now
    let limit = firstEvents

    /** Nobody will ask for what did not match again, so this may stay even if the pull is interrupted. */
    const advance = (through: bigint) => {
      if (through > position) position = through
    }

    const caughtUp = Effect.suspend(() => gate.awaitPosition(position)).pipe(
      Effect.map((): Taken => ({ position, items: [{ _tag: "CaughtUp", position }] }))
    )

    /** What matches in a page, as far as it may be pushed. */
    const released = Effect.fnUntraced(function* (page: Page, first: RecordedEvent) {
      yield* gate.awaitPosition(first.position)
      const seen = yield* queries.position
      const passed = page.filter((event) => event.position <= gate.position())
      const matching = passed.filter(matches)
      const events = bounded(matching)
      const isCut = events.length < matching.length
      const end = isCut ? events : passed
      limit = isCut ? events.length : Math.min(limit * 2, maxEvents)
      return {
        items: events.map((event): Fed => ({ _tag: "Event", event, ahead: event.position > seen })),
        position: end[end.length - 1]!.position
      }
    })

    const next = Effect.gen(function* () {
      while (true) {
        if ((yield* tail.history) !== history) return yield* Effect.die(new LogWentBack(position, yield* tail.position))
        if (!isCaughtUp && position >= (yield* tail.position)) return yield* caughtUp
        if (interest !== undefined) {
          yield* tail.awaitInterest(interest, position, advance)
        }
        const page = yield* tail.page(position, limit)
        const first = page.find(matches)
        if (first === undefined) {
          advance(page[page.length - 1]!.position)
          limit = maxEvents
          continue
        }
        const { items, position: through } = yield* released(page, first)
        if (Arr.isReadonlyArrayNonEmpty(items)) return { items, position: through }
      }
    })

    return Effect.gen(function* () {
      const early = notBefore - (yield* Clock.currentTimeMillis)
      if (early > 0) yield* Effect.sleep(early)
      const left = nextBeat - (yield* Clock.currentTimeMillis)
      const taken = left > 0 ? yield* Effect.timeoutOption(next, left) : Option.none<Taken>()
      if (Option.isNone(taken)) {
        nextBeat = (yield* Clock.currentTimeMillis) + heartbeat
        return Arr.of<Fed>({ _tag: "Heartbeat", position })
      }
      position = taken.value.position
      if (!hasBegun) nextBeat = (yield* Clock.currentTimeMillis) + heartbeat
      hasBegun = true
      if (taken.value.items[0]._tag === "CaughtUp") isCaughtUp = true
      else if (position >= (yield* tail.position)) notBefore = (yield* Clock.currentTimeMillis) + pause
      return taken.value.items
    })
  })
