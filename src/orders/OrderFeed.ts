/** `Orders.subscribe` in this process. */
import { Array as Arr, Duration, Effect, Stream } from "effect"
import { EventStore, type RecordedEvent } from "../eventstore/EventStore.ts"
import type { Interest } from "../eventstore/tail/EventWaiters.ts"
import { LogTail } from "../eventstore/tail/LogTail.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import * as PublishedEvent from "../aggregate/PublishedEvent.ts"
import { wireType } from "../aggregate/WireType.ts"
import type { Orders } from "./Orders.ts"
import * as EventFeed from "./EventFeed.ts"
import { OrderQueries } from "../views/order/OrderQueries.ts"
import * as ViewGate from "./ViewGate.ts"
import { InvalidPosition, type Push, type SubscribeOptions } from "./Subscription.ts"

const defaultHeartbeat = Duration.seconds(15)

/** Milliseconds. A subscriber of everything would else be written to once per commit. */
const pause = 10

/** One object per event, however many get it, so that they can share what they make of it. */
const published = new WeakMap<RecordedEvent, PublishedEvent.PublishedEvent>()

const publish = (event: RecordedEvent): PublishedEvent.PublishedEvent => {
  const known = published.get(event)
  if (known !== undefined) return known
  const made = PublishedEvent.fromRecorded(event)
  published.set(event, made)
  return made
}

const toPush = (fed: EventFeed.Fed): Push =>
  fed._tag === "Event" ? { _tag: "Event", event: publish(fed.event), ahead: fed.ahead } : fed

const matching = ({ categories = ["order"], customerId, orderId, types }: SubscribeOptions) => {
  const streamId = orderId === undefined ? undefined : `order-${orderId}`
  return (event: RecordedEvent): boolean => {
    if (streamId !== undefined && event.streamId !== streamId) return false
    if (customerId !== undefined && event.metadata.customerId !== customerId) return false
    const category = StreamId.category(event.streamId)
    return (
      categories.includes(category) &&
      (types === undefined || types.includes(wireType(category, event.type, event.schemaVersion)))
    )
  }
}

const interestOf = ({ customerId, orderId }: SubscribeOptions): Interest | undefined => {
  if (orderId !== undefined) return { streamId: StreamId.make("order", orderId), customerId }
  return customerId === undefined ? undefined : { customerId }
}

export const make = Effect.gen(function* () {
  const log = yield* EventStore
  const tail = yield* LogTail
  const queries = yield* OrderQueries
  const gate = yield* ViewGate.make(tail, queries)

  /** The position asked for, if the log goes that far; else where it ends now. */
  const startAt = Effect.fnUntraced(function* (after: bigint | undefined) {
    if (after !== undefined && after < 0n) return yield* new InvalidPosition({ position: after })
    if (after !== undefined && after <= (yield* tail.position)) return after
    const { position: head } = yield* log.head
    if (after === undefined) return head
    return after <= head ? after : yield* new InvalidPosition({ position: after })
  })

  const subscribe: Orders["Service"]["subscribe"] = Effect.fn("Orders.subscribe")(function* (options = {}) {
    const interest = interestOf(options)
    const feed = EventFeed.make(tail, gate, queries, {
      after: yield* startAt(options.after),
      pause,
      matches: matching(options),
      ...(interest === undefined ? {} : { interest }),
      heartbeat: Duration.toMillis(Duration.fromInputUnsafe(options.heartbeat ?? defaultHeartbeat))
    })
    return Stream.fromPull(Effect.map(feed, Effect.map(Arr.map(toPush))))
  })
  return subscribe
})
