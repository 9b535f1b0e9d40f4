/**
 * Apache Kafka as the broker. Its producer is idempotent and waits for every in-sync replica; partitions are chosen as
 * Kafka's Java client does. There are no transactions: checkpoints are in the log's database, and events have ids.
 */
import type * as Library from "@platformatic/kafka"
import { Effect, Layer } from "effect"
import { Broker, type BrokerRecord } from "../Broker.ts"
import { baseOptions, library, sendFailure } from "./KafkaClient.ts"
import * as KafkaConsumer from "./KafkaConsumer.ts"
import type { KafkaClientMissing, KafkaOptions } from "./KafkaOptions.ts"
import * as KafkaReads from "./KafkaReads.ts"
import * as KafkaTopics from "./KafkaTopics.ts"

/** All records of one partition that are sent together are one batch, whose size the brokers limit. */
const sendBytes = 512 * 1024
/** A batch and a record take so many bytes besides what they hold, and each header a few. */
const overhead = 128

const sizeOf = ({ headers, key, value }: BrokerRecord) =>
  overhead +
  Buffer.byteLength(key) +
  value.byteLength +
  Object.entries(headers).reduce((sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text) + 10, 0)

/** Cuts records into parts of a limited size; a record that is larger is a part of its own. */
const parts = (records: ReadonlyArray<BrokerRecord>, limit: number): ReadonlyArray<ReadonlyArray<BrokerRecord>> => {
  const all: Array<Array<BrokerRecord>> = []
  let free = 0
  for (const record of records) {
    const size = sizeOf(record)
    const part = all.at(-1)
    if (part === undefined || size > free) {
      all.push([record])
      free = limit - size
    } else {
      part.push(record)
      free -= size
    }
  }
  return all
}

/** Makes a client, and closes it with the scope. What it meets besides its answers must not end the process. */
const client = <A extends Library.Base>(make: () => A, close: (made: A) => Promise<void>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const made = make()
      made.on("error", () => {})
      return made
    }),
    (made) => Effect.ignore(Effect.tryPromise(() => close(made))).pipe(Effect.timeoutOption("5 seconds"))
  )

export const make = Effect.fnUntraced(function* (options: KafkaOptions) {
  const { Admin, compatibilityPartitioner, Consumer, Producer } = yield* library
  const base = baseOptions(options)
  const admin = yield* client(
    () => new Admin(base),
    (made) => made.close()
  )
  const producer = yield* client(
    () => new Producer({ ...base, idempotent: true, partitioner: compatibilityPartitioner }),
    (made) => made.close(true)
  )
  const limits = new Map<string, number>()

  /** A client of its own forgets its connections and its partitions' leaders when it is closed. */
  const reading = <A, E, R>(group: string, use: (consumer: Library.Consumer) => Effect.Effect<A, E, R>) =>
    Effect.scoped(
      Effect.flatMap(
        client(
          () => new Consumer(KafkaConsumer.groupOptions(base, group)),
          (made) => made.close(true)
        ),
        use
      )
    )

  const sendPart = (topic: string, part: ReadonlyArray<BrokerRecord>) =>
    Effect.tryPromise({
      try: () =>
        producer.send({
          messages: part.map(({ headers, key, value }) => ({
            topic,
            key: Buffer.from(key),
            value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
            headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]))
          }))
        }),
      catch: (error) =>
        sendFailure(
          error,
          part.map(({ key }) => key)
        )
    })

  return Broker.of({
    topic: (settings) =>
      Effect.map(KafkaTopics.ensure(admin, settings), ({ maxBatchBytes, ...topic }) => {
        limits.set(topic.name, maxBatchBytes - overhead)
        return topic
      }),
    send: Effect.fnUntraced(function* (topic, records) {
      const limit = Math.min(sendBytes, limits.get(topic) ?? sendBytes)
      for (const part of parts(records, limit)) yield* sendPart(topic, part)
    }),
    last: (topic, count) => reading("ordinal-last-records", (consumer) => KafkaReads.last(consumer, topic, count)),
    consume: (topic, group, handle) => reading(group, (consumer) => KafkaConsumer.consume(consumer, topic, handle)),
    lag: (topic, group) => reading(group, (consumer) => KafkaConsumer.lag(consumer, topic))
  })
})

export const layer = (options: KafkaOptions): Layer.Layer<Broker, KafkaClientMissing> =>
  Layer.effect(Broker, make(options))
