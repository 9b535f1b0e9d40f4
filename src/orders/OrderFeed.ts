/**
 * Serves `Orders.subscribe` in this process: the log from a position on, filtered, in order, without a gap, and not
 * ahead of the order view unless the push says so.
 *
 * A feed keeps a position and no events: each pull asks the tail for a small page, so a slow subscriber costs nothing
 * between two pulls, and reads from the log what memory has let go. The PushGate says how far it may go.
 */
import { Array as Arr, type Cause, Duration, Effect, Option, Stream } from "effect"
import * as PublishedEvent from "../aggregate/PublishedEvent.ts"
import { EventStore, type RecordedEvent } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import type { StreamOrOwner } from "../eventstore/tail/EventWaiters.ts"
import { LogWentBack } from "../eventstore/tail/LogErrors.ts"
import { LogTail } from "../eventstore/tail/LogTail.ts"
import type { EventPage } from "../eventstore/tail/RecentEvents.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import type { PositionLatch } from "../projection/consistency/PositionLatch.ts"
import * as MonotonicClock from "../supervision/MonotonicClock.ts"
import { OrderQueries } from "../views/order/OrderQueries.ts"
import type { Orders } from "./Orders.ts"
import { InvalidPosition } from "./OrdersError.ts"
import { parseAfter, type Push, type SubscribeOptions } from "./Subscription.ts"
import * as PushGate from "./PushGate.ts"

export interface FeedOptions {
  readonly after: bigint
  readonly logId: string
  readonly matches: (event: RecordedEvent) => boolean
  /** Every matching event must meet this condition; events that don't meet it never wake the subscriber up. */
  readonly interest?: StreamOrOwner | undefined
  /** A subscriber gets a heartbeat about every so many milliseconds, whether or not events come in between. */
  readonly heartbeat: number
  /**
   * So many milliseconds pass between two pulls of new events, and a fifth of them after an event that came alone: one
   * goes out at once, those that follow it together.
   */
  readonly pause: number
}

/** The first page holds so many events; pages grow while they are sent whole, so little is read in vain. */
const firstEvents = 16

/** One pull gives at most so many events, and about so many bytes of their data. */
export const maxEvents = 128
export const maxBytes = 64 * 1024

/** Makes one object per event, which all subscribers share. */
const shared = <A>(make: (event: RecordedEvent) => A) => {
  const known = new WeakMap<RecordedEvent, A>()
  return (event: RecordedEvent): A => {
    const made = known.get(event) ?? make(event)
    known.set(event, made)
    return made
  }
}

const sizeOf = shared((event) => JSON.stringify(event.data).length)
const publish = shared(PublishedEvent.fromRecorded)

/** Takes the first events that together fit into one pull, and at least one. */
const bounded = (events: ReadonlyArray<RecordedEvent>): ReadonlyArray<RecordedEvent> => {
  let bytes = 0
  const end = events.findIndex((event, index) => (bytes += sizeOf(event)) > maxBytes && index > 0)
  return end < 0 ? events : events.slice(0, end)
}

type Pushes = Arr.NonEmptyReadonlyArray<Push>

/** Each pull waits for the next pushes; an interrupted pull loses none. */
export const pull = (
  tail: LogTail["Service"],
  gate: PositionLatch,
  queries: Pick<OrderQueries["Service"], "position">,
  { after, heartbeat, interest, logId, matches, pause }: FeedOptions
): Effect.Effect<Effect.Effect<Pushes, DatabaseUnavailable | Cause.Done>> =>
  Effect.map(Effect.all([MonotonicClock.millis, tail.timeline]), ([now, timeline]) => {
    let position = after
    let isCaughtUp = false
    // The first push tells where the subscription begins, so that it can be taken up from there whatever happens.
    let nextBeat = now
    let notBefore = now
    let limit = firstEvents

    /**
     * Passes events that did not match. It stays so if the pull is interrupted, since nobody will ask for them again.
     */
    const advance = (through: bigint) => {
      if (through > position) position = through
    }

    /** Makes the token of a position that the tail has passed. */
    const tokenAt = Effect.fnUntraced(function* (position: bigint) {
      const eventId = position === 0n ? undefined : (yield* tail.page(position - 1n, 1))[0].eventId
      return ConsistencyToken.format(logId, position, eventId)
    })

    const eventPush = (event: RecordedEvent, ahead: boolean): Push => {
      const token = ConsistencyToken.format(logId, event.position, event.eventId)
      return { _tag: "Event", event: publish(event), ahead, token }
    }

    /**
     * Waits until `PushGate` lets the event `first` through. Then gives the matching events of the page that may be
     * sent by now, as many as one pull may hold, and the position after which the next pull goes on.
     */
    const released = Effect.fnUntraced(function* (page: EventPage, first: RecordedEvent) {
      yield* gate.awaitPosition(first.position)
      const seen = yield* queries.position
      const passed = page.filter((event) => event.position <= gate.position())
      const matching = passed.filter(matches)
      const events = bounded(matching)
      const isCut = events.length < matching.length
      const end = isCut ? events : passed
      limit = isCut ? events.length : Math.min(limit * 2, maxEvents)
      return {
        pushes: events.map((event) => eventPush(event, event.position > seen)),
        position: end[end.length - 1]!.position
      }
    })

    /** Ends the subscription once the log went back, before anything of the lost history is pushed. */
    const inTimeline = Effect.flatMap(Effect.all([tail.timeline, tail.position]), ([now, head]) =>
      now === timeline ? Effect.void : Effect.die(new LogWentBack(position, head))
    )

    const next = Effect.gen(function* () {
      while (true) {
        yield* inTimeline
        if (!isCaughtUp && position >= (yield* tail.position)) {
          yield* gate.awaitPosition(position)
          yield* inTimeline
          return { pushes: Arr.of<Push>({ _tag: "CaughtUp", position, token: yield* tokenAt(position) }), position }
        }
        if (interest !== undefined) yield* tail.awaitEvent(interest, position, advance)
        const page = yield* tail.page(position, limit)
        const first = page.find(matches)
        if (first === undefined) {
          advance(page[page.length - 1]!.position)
          limit = maxEvents
          continue
        }
        const { position: through, pushes } = yield* released(page, first)
        yield* inTimeline
        if (Arr.isReadonlyArrayNonEmpty(pushes)) return { pushes, position: through }
      }
    })

    return Effect.gen(function* () {
      const early = notBefore - (yield* MonotonicClock.millis)
      if (early > 0) yield* Effect.sleep(early)
      const left = nextBeat - (yield* MonotonicClock.millis)
      const taken = left > 0 ? yield* Effect.timeoutOption(next, left) : Option.none<Effect.Success<typeof next>>()
      if (Option.isNone(taken)) {
        nextBeat = (yield* MonotonicClock.millis) + heartbeat
        return Arr.of<Push>({ _tag: "Heartbeat", position, token: yield* tokenAt(position) })
      }
      position = taken.value.position
      if (taken.value.pushes[0]._tag === "CaughtUp") isCaughtUp = true
      else if (position >= (yield* tail.position)) {
        const isAlone = taken.value.pushes.length === 1
        notBefore = (yield* MonotonicClock.millis) + (isAlone ? pause / 5 : pause)
      }
      return taken.value.pushes
    })
  })

const matching = ({ categories = ["order"], customerId, orderId, types }: SubscribeOptions) => {
  const streamId = orderId === undefined ? undefined : StreamId.make("order", orderId)
  return (event: RecordedEvent): boolean => {
    if (streamId !== undefined && event.streamId !== streamId) return false
    if (customerId !== undefined && event.metadata.customerId !== customerId) return false
    const category = StreamId.category(event.streamId)
    if (!categories.includes(category)) return false
    return types === undefined || types.includes(PublishedEvent.wireType(category, event.type, event.schemaVersion))
  }
}

const interestOf = ({ customerId, orderId }: SubscribeOptions): StreamOrOwner | undefined => {
  if (orderId !== undefined) return { streamId: StreamId.make("order", orderId), owner: customerId }
  return customerId === undefined ? undefined : { owner: customerId }
}

/** Without a pause of so many milliseconds, a subscriber of everything would be written to once per commit. */
const pause = 10

export const make = Effect.gen(function* () {
  const log = yield* EventStore
  const tail = yield* LogTail
  const queries = yield* OrderQueries
  const gate = yield* PushGate.make(tail, queries)

  const { logId } = yield* log.head

  /** Begins at the position asked for, if this log knows it, or without one at the log's end. */
  const startAt = Effect.fnUntraced(function* (after: string | bigint | undefined) {
    const { position: head } = yield* log.head
    if (after === undefined) return head
    const { check, position } = parseAfter(after)
    const eventId = position < 0n || position > head ? undefined : yield* ConsistencyToken.eventIdAt(log, position)
    const isKnown = position === 0n || eventId !== undefined
    const isSame = check === undefined || ConsistencyToken.isOf({ position, check }, logId, eventId)
    return isKnown && isSame ? position : yield* new InvalidPosition({ position, head })
  })

  const subscribe: Orders["Service"]["subscribe"] = Effect.fn("Orders.subscribe")(function* (options = {}) {
    const feed = pull(tail, gate, queries, {
      after: yield* startAt(options.after),
      logId,
      pause,
      matches: matching(options),
      interest: interestOf(options),
      heartbeat: Duration.toMillis(Duration.fromInputUnsafe(options.heartbeat ?? "15 seconds"))
    })
    return Stream.fromPull(feed)
  })
  return subscribe
})
