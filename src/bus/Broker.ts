/**
 * The broker of a message bus, behind one interface: topics of partitions, each a sequence of records that is kept for a
 * while. `MemoryBroker` and `kafka/KafkaBroker` implement it; `BrokerContract` in `testing` says what both must do.
 *
 * Invariant: records of one key are in one partition, in the order in which they were sent, each at least once.
 */
import { type Array as Arr, Context, type Duration, type Effect, Schema } from "effect"

/** A record to be sent. Its key decides its partition, as in Kafka's own Java client. */
export interface BrokerRecord {
  readonly key: string
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
}

/** A record as it was received. Others may have sent it: without a key, without a value, with the same header twice. */
export interface StoredRecord {
  readonly key: string | undefined
  readonly value: Uint8Array | undefined
  readonly headers: Readonly<Record<string, string>>
  readonly partition: number
  readonly offset: bigint
}

export interface TopicSettings {
  readonly name: string
  readonly partitions: number
  /** So many brokers keep each record; as many as is their own default without it. */
  readonly replicationFactor?: number
}

export interface Topic extends Required<TopicSettings> {
  /** Another id means that the topic was deleted and created again, with offsets from 0. */
  readonly id: string
  /** A record may be delivered for so long after it was sent, `Infinity` being for ever. */
  readonly retention: Duration.Duration
}

/** The end of a partition is the offset of its next record. */
export interface PartitionLag {
  readonly partition: number
  readonly end: bigint
  /** So many records are not committed by the group. */
  readonly lag: bigint
}

export type Records = Arr.NonEmptyReadonlyArray<StoredRecord>

/** The broker gives no answer now: try again. Records of a failed `send` may be stored or not. */
export class BrokerUnavailable extends Schema.TaggedError<BrokerUnavailable>()("BrokerUnavailable", {
  reason: Schema.String,
  /** The caller should wait so many seconds. */
  retryAfter: Schema.Finite
}) {
  static because(reason: string) {
    return new BrokerUnavailable({ reason, retryAfter: 1 })
  }

  override get message() {
    return `The broker is not available (${this.reason}); try again in ${this.retryAfter} s.`
  }
}

/**
 * The broker will never take one of these records: it is too large, say. The others may be stored or not. Send them one by
 * one to know which one it is.
 */
export class RecordRefused extends Schema.TaggedError<RecordRefused>()("RecordRefused", {
  keys: Schema.Array(Schema.String),
  reason: Schema.String
}) {
  override get message() {
    const [key] = this.keys
    const record = this.keys.length === 1 ? `the record of the key ${key}` : `one of ${this.keys.length} records`
    return `The broker refused ${record}: ${this.reason}.`
  }
}

export class Broker extends Context.Service<
  Broker,
  {
    /**
     * Creates the topic unless it is there, and tells how it is. A topic that is there is never changed: the caller
     * compares it with what was asked for (see `differences`).
     */
    topic(settings: TopicSettings): Effect.Effect<Topic, BrokerUnavailable>
    /** Sends records to a topic. They are kept by every broker that must have them when this is done. */
    send(topic: string, records: ReadonlyArray<BrokerRecord>): Effect.Effect<void, BrokerUnavailable | RecordRefused>
    /** Reads the last records of each partition, at most `count` of each, in the order of their offsets. */
    last(topic: string, count: number): Effect.Effect<ReadonlyArray<StoredRecord>, BrokerUnavailable>
    /**
     * Handles the records of a topic as a member of a group, from the first one that the group has not committed (at
     * first: from the topic's beginning). Records are committed once `handle` is done with them; those of one partition
     * come in order, the next ones when the ones before are handled. After a failure, run it again: what was not
     * committed comes again, as it may whenever members come and go.
     */
    consume<E, R>(
      topic: string,
      group: string,
      handle: (records: Records) => Effect.Effect<void, E, R>
    ): Effect.Effect<never, E | BrokerUnavailable, R>
    /** Tells for each partition how far the group is. */
    lag(topic: string, group: string): Effect.Effect<ReadonlyArray<PartitionLag>, BrokerUnavailable>
  }
>()("ordinal/bus/Broker") {}

/** Says in sentences how a topic differs from what was asked for. */
export const differences = (asked: TopicSettings, topic: Topic): ReadonlyArray<string> =>
  (["partitions", "replicationFactor"] as const)
    .filter((field) => asked[field] !== undefined && asked[field] !== topic[field])
    .map((field) => {
      const name = field === "partitions" ? "partitions" : "replicas"
      return (
        `The topic ${topic.name} has ${topic[field]} ${name}, not ${asked[field]} as the settings say; it is used as it is. ` +
        "Change the setting, or the topic with Kafka's own tools."
      )
    })
