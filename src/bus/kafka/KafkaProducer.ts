/**
 * Sends records by an idempotent producer that waits for every in-sync replica, to the partition that Kafka's Java client
 * chooses.
 *
 * - Each partition has requests of its own. The client repeats a failed request as a whole at one broker, in vain if its
 *   partitions have different leaders by then.
 * - A producer that failed is closed, so that nothing of it is stored later on; the next one begins anew.
 */
import type * as Library from "@platformatic/kafka"
import { Effect, Result } from "effect"
import { type BrokerRecord, BrokerUnavailable } from "../Broker.ts"
import { partitionOf } from "../Murmur2.ts"
import { call, closing, quiet, sendFailure } from "./KafkaClient.ts"

/** A batch and a record take so many bytes besides what they hold, and each header a few. */
export const overhead = 128

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

const messageOf =
  (topic: string, partition: number) =>
  ({ headers, key, value }: BrokerRecord): Library.MessageToProduce<Buffer, Buffer, Buffer, Buffer> => ({
    topic,
    partition,
    key: Buffer.from(key),
    value: Buffer.from(value.buffer, value.byteOffset, value.byteLength),
    headers: new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]))
  })

/** Sends the records of one partition, one part after the other. */
const sendTo = (
  producer: Library.Producer,
  topic: string,
  partition: number,
  records: ReadonlyArray<BrokerRecord>,
  limit: number
) =>
  Effect.forEach(
    parts(records, limit),
    (part) =>
      Effect.tryPromise({
        try: () => producer.send({ messages: part.map(messageOf(topic, partition)) }),
        catch: (error) =>
          sendFailure(
            error,
            part.map(({ key }) => key)
          )
      }),
    { discard: true }
  )

/** A broker that hangs is waited for so long; a new leader of a partition takes less. */
const patience = "15 seconds"

/** `failed` is called before the next producer is made. */
export const make = Effect.fnUntraced(function* (makeProducer: () => Library.Producer, failed: () => void) {
  let current: Library.Producer | undefined

  const close = (producer: Library.Producer | undefined) =>
    Effect.suspend(() => {
      if (producer === undefined || producer !== current) return Effect.void
      current = undefined
      failed()
      return closing(() => producer.close(true))
    })

  yield* Effect.addFinalizer(() => close(current))

  return Effect.fnUntraced(function* (topic: string, records: ReadonlyArray<BrokerRecord>, limit: number) {
    if (records.length === 0) return
    const producer = (current ??= quiet(makeProducer()))
    const send = Effect.gen(function* () {
      const { topics } = yield* call(() => producer.metadata({ topics: [topic] }))
      const count = topics.get(topic)?.partitionsCount
      if (count === undefined) return yield* BrokerUnavailable.because(`it has no topic ${topic}`)
      const results = yield* Effect.forEach(
        Map.groupBy(records, ({ key }) => partitionOf(key, count)),
        ([partition, own]) => Effect.result(sendTo(producer, topic, partition, own, limit)),
        { concurrency: "unbounded" }
      )
      const failures = results.filter(Result.isFailure).map(({ failure }) => failure)
      // A record that is refused is so again, when the broker is back.
      const failure = failures.find((one) => one instanceof BrokerUnavailable) ?? failures[0]
      if (failure !== undefined) return yield* failure
    })
    yield* send.pipe(
      Effect.timeoutOrElse({
        duration: patience,
        orElse: () => Effect.fail(BrokerUnavailable.because(`no answer within ${patience}`))
      }),
      Effect.tapErrorTag("BrokerUnavailable", () => close(producer)),
      Effect.onInterrupt(() => close(producer))
    )
  })
})
