/**
 * Publishes events to a topic as CloudEvents, from the log itself: the log is the outbox. The key is the id of the event's
 * aggregate, so the events of one order are in one partition, in the order of their versions.
 *
 * Invariant: `publish` succeeds only when the broker has acknowledged all of the events, so a checkpoint behind them loses
 * none. After a start, a take-over or a failure it reads the ends of the partitions and leaves out events whose ids are
 * there. Positions would not do: they say nothing after a restore, or where partitions were acknowledged unevenly.
 */
import { Effect, Layer } from "effect"
import * as PublishedEvent from "../aggregate/PublishedEvent.ts"
import { EventStore, type RecordedEvent } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import * as PushMessage from "../http/wire/PushMessage.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import * as Subscriptions from "../projection/Subscriptions.ts"
import * as Metrics from "../telemetry/Metrics.ts"
import { Broker, type BrokerRecord, differences, type StoredRecord, type Topic, type TopicSettings } from "./Broker.ts"
import { partitionOf } from "./Murmur2.ts"

/** At most so many events may be sent and not acknowledged. */
export const batch = 500

/** Besides those of one publisher there may be the events of another one, which went on after it had lost its lease. */
const readBack = 2 * batch

export const contentType = "application/cloudevents+json"

const encoder = new TextEncoder()
const decoder = new TextDecoder()

const toRecord = (logId: string, recorded: RecordedEvent): BrokerRecord => {
  const after = ConsistencyToken.format(logId, recorded.position, recorded.eventId)
  return {
    key: StreamId.id(recorded.streamId),
    value: encoder.encode(PushMessage.eventText(PublishedEvent.fromRecorded(recorded), after)),
    headers: { "content-type": contentType, "ordinal-position": after }
  }
}

/** Reads the id of a CloudEvent; others may have put anything into the topic. */
const idOf = ({ value }: StoredRecord): string | undefined => {
  try {
    const { id }: { readonly id?: unknown } = JSON.parse(decoder.decode(value))
    return typeof id === "string" ? id : undefined
  } catch {
    return undefined
  }
}

/** The publisher knows this of the topic as long as nobody else publishes to it. */
interface Known {
  readonly topic: Topic
  readonly logId: string
  /** The ids at the ends of the partitions as they were found, and those of the last batch. */
  readonly found: ReadonlySet<string>
  readonly last: ReadonlySet<string>
}

export const make = Effect.fnUntraced(function* (settings: TopicSettings) {
  const broker = yield* Broker
  const log = yield* EventStore
  const published = yield* Metrics.eventsPublished
  const skipped = yield* Metrics.eventsFound
  const unacknowledged = yield* Metrics.eventsUnacknowledged
  const { name } = settings
  published.prepare(name)
  skipped.prepare(name)
  let known: Known | undefined
  let warned = ""

  const look = Effect.gen(function* () {
    const topic = yield* broker.topic(settings)
    const differing = differences(settings, topic).join(" ")
    if (differing !== warned) yield* Effect.logWarning(differing)
    warned = differing
    const { logId } = yield* log.head
    const records = yield* broker.last(name, readBack)
    const found = new Set(records.flatMap((record) => idOf(record) ?? []))
    for (let partition = 0; partition < topic.partitions; partition++) unacknowledged(0, name, String(partition))
    return { topic, logId, found, last: new Set() } satisfies Known
  })

  const report = (topic: Topic, records: ReadonlyArray<BrokerRecord>, isSent: boolean) => {
    const partitions = Map.groupBy(records, ({ key }) => partitionOf(key, topic.partitions))
    for (const [partition, { length }] of partitions) unacknowledged(isSent ? 0 : length, name, String(partition))
  }

  return {
    /** Forgets the topic: from now on another process may have published. */
    forget: Effect.sync(() => {
      known = undefined
    }),
    publish: Effect.fnUntraced(function* (events: ReadonlyArray<RecordedEvent>) {
      const { found, last, logId, topic } = known ?? (yield* look)
      known = undefined
      const fresh = events.filter(({ eventId }) => !found.has(eventId) && !last.has(eventId))
      const records = fresh.map((event) => toRecord(logId, event))
      report(topic, records, false)
      yield* broker.send(name, records)
      report(topic, records, true)
      known = { topic, logId, found, last: new Set(events.map(({ eventId }) => eventId)) }
      published(records.length, name)
      skipped(events.length - records.length, name)
    })
  }
})

export interface Options {
  readonly topic: TopicSettings
  /** The categories of the streams whose events are published; `["order"]` without it. */
  readonly categories?: ReadonlyArray<string>
}

/** Names the subscription of a topic's publisher, by which operators know it. */
export const subscriptionOf = (topic: string): string => `publish-${topic}`

/**
 * Publishes the log's events, from its first one on, until the layer is closed, unless another process on the same log does.
 * Commands never wait for it: while the broker is away the subscription lags, and an event that the broker refuses parks its
 * stream, which operators see and resolve as any other parked stream.
 */
export const layer = ({ categories = ["order"], topic }: Options) =>
  Layer.unwrap(
    Effect.map(make(topic), ({ forget, publish }) =>
      Subscriptions.make(subscriptionOf(topic.name), {
        from: categories,
        start: "start",
        batch,
        timeout: "3 minutes",
        begin: forget,
        handle: publish
      })
    )
  )
