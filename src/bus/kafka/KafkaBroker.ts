/**
 * Apache Kafka as the broker. There are no transactions of Kafka's: checkpoints are in the log's database, and events
 * have ids.
 */
import type * as Library from "@platformatic/kafka"
import { Effect, Layer } from "effect"
import { Broker, BrokerUnavailable } from "../Broker.ts"
import { baseOptions, closing, library, quiet, retries } from "./KafkaClient.ts"
import * as KafkaConsumer from "./KafkaConsumer.ts"
import type { KafkaClientMissing, KafkaOptions } from "./KafkaOptions.ts"
import * as KafkaProducer from "./KafkaProducer.ts"
import * as KafkaReads from "./KafkaReads.ts"
import * as KafkaTopics from "./KafkaTopics.ts"

/** All records of one partition that are sent together are one batch, whose size the brokers limit. */
const sendBytes = 512 * 1024

export const make = Effect.fnUntraced(function* (options: KafkaOptions) {
  const { Admin, Consumer, Producer } = yield* library
  const limits = new Map<string, number>()
  let failures = 0
  const base = () => baseOptions(options, failures)
  const failed = () => {
    failures += 1
  }

  /** Each use has a client of its own, which forgets its connections and its partitions' leaders when it is closed. */
  const using = <C extends Library.Base, A, E, R>(
    make: () => C,
    close: (client: C) => Promise<void>,
    use: (client: C) => Effect.Effect<A, E, R>
  ) =>
    Effect.acquireUseRelease(
      Effect.sync(() => quiet(make())),
      use,
      (client) => closing(() => close(client))
    ).pipe(Effect.tapError((error) => Effect.sync(() => error instanceof BrokerUnavailable && failed())))

  const reading = <A, E, R>(
    group: string,
    use: (consumer: Library.Consumer) => Effect.Effect<A, E, R>,
    special: Partial<Library.BaseOptions> = {}
  ) =>
    using(
      () => new Consumer(KafkaConsumer.groupOptions({ ...base(), ...special }, group)),
      (consumer) => consumer.close(true),
      use
    )

  const send = yield* KafkaProducer.make(() => new Producer({ ...base(), idempotent: true }), failed)

  return Broker.of({
    topic: (settings) =>
      using(
        () => new Admin({ ...base(), retries }),
        (admin) => admin.close(),
        (admin) => KafkaTopics.ensure(admin, settings)
      ).pipe(
        Effect.map(({ maxBatchBytes, ...topic }) => {
          limits.set(topic.name, maxBatchBytes - KafkaProducer.overhead)
          return topic
        })
      ),
    send: (topic, records) => send(topic, records, Math.min(sendBytes, limits.get(topic) ?? sendBytes)),
    last: (topic, count) => reading("ordinal-last-records", (consumer) => KafkaReads.last(consumer, topic, count)),
    consume: (topic, group, handle) =>
      reading(group, (consumer) => KafkaConsumer.consume(consumer, topic, handle), KafkaConsumer.joining),
    lag: (topic, group) => reading(group, (consumer) => KafkaConsumer.lag(consumer, topic))
  })
})

export const layer = (options: KafkaOptions): Layer.Layer<Broker, KafkaClientMissing> =>
  Layer.effect(Broker, make(options))
