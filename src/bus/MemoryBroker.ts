/**
 * A broker in memory, for tests and trials: everything is gone with the process. In a group one member works, and the
 * others wait until it ends.
 */
import { Array as Arr, Duration, Effect, Latch, Layer, Semaphore } from "effect"
import { Broker, type BrokerRecord, BrokerUnavailable, RecordRefused, type StoredRecord, type Topic } from "./Broker.ts"
import { partitionOf } from "./Murmur2.ts"

interface Group {
  /** The next offset of each partition. */
  readonly committed: Array<bigint>
  readonly working: Semaphore.Semaphore
}

interface MemoryTopic {
  readonly topic: Topic
  readonly partitions: ReadonlyArray<Array<StoredRecord>>
  readonly groups: Map<string, Group>
  /** The latches of those who wait for more records. */
  readonly waiting: Set<Latch.Latch>
}

export interface Options {
  /** A record whose key, value and headers have more bytes is refused; 1 MiB, as Kafka's brokers do by default. */
  readonly maxRecordBytes?: number
  readonly retention?: Duration.Input
}

/** Gives so many records at once to a consumer. */
const page = 500

const sizeOf = ({ headers, key, value }: BrokerRecord) =>
  key.length + value.length + Object.entries(headers).flat().join("").length

export const make = ({ maxRecordBytes = 1_048_576, retention = "7 days" }: Options = {}): Broker["Service"] => {
  const topics = new Map<string, MemoryTopic>()

  const named = (name: string) =>
    Effect.suspend(() => {
      const topic = topics.get(name)
      return topic === undefined
        ? Effect.fail(BrokerUnavailable.because(`it has no topic ${name}`))
        : Effect.succeed(topic)
    })

  const groupOf = ({ groups, partitions }: MemoryTopic, name: string) => {
    const group = groups.get(name) ?? { committed: partitions.map(() => 0n), working: Semaphore.makeUnsafe(1) }
    groups.set(name, group)
    return group
  }

  return Broker.of({
    topic: (settings) =>
      Effect.sync(() => {
        const found = topics.get(settings.name)
        if (found !== undefined) return found.topic
        const topic = {
          replicationFactor: 1,
          ...settings,
          id: crypto.randomUUID(),
          retention: Duration.fromInputUnsafe(retention)
        }
        const partitions = Array.from({ length: settings.partitions }, () => [])
        topics.set(settings.name, { topic, partitions, groups: new Map(), waiting: new Set() })
        return topic
      }),
    send: Effect.fnUntraced(function* (name, records) {
      const { partitions, waiting } = yield* named(name)
      const refused = records.find((record) => sizeOf(record) > maxRecordBytes)
      if (refused !== undefined) {
        return yield* new RecordRefused({ keys: [refused.key], reason: `it has more than ${maxRecordBytes} bytes` })
      }
      for (const record of records) {
        const partition = partitionOf(record.key, partitions.length)
        partitions[partition]?.push({ ...record, partition, offset: BigInt(partitions[partition].length) })
      }
      for (const latch of waiting) latch.openUnsafe()
    }),
    last: (name, count) => Effect.map(named(name), (topic) => topic.partitions.flatMap((all) => all.slice(-count))),
    consume: Effect.fnUntraced(function* (name, groupName, handle) {
      const topic = yield* named(name)
      const group = groupOf(topic, groupName)
      const grown = Latch.makeUnsafe()
      const step = Effect.gen(function* () {
        yield* grown.close
        const next = topic.partitions.flatMap((all, partition) => {
          const from = Number(group.committed[partition])
          return all.slice(from, from + page)
        })
        if (!Arr.isReadonlyArrayNonEmpty(next)) return yield* grown.await
        yield* handle(next)
        for (const { offset, partition } of next) group.committed[partition] = offset + 1n
      })
      topic.waiting.add(grown)
      return yield* group.working
        .withPermit(Effect.forever(step))
        .pipe(Effect.ensuring(Effect.sync(() => topic.waiting.delete(grown))))
    }),
    lag: (name, groupName) =>
      Effect.map(named(name), (topic) => {
        const { committed } = groupOf(topic, groupName)
        return topic.partitions.map((all, partition) => {
          const end = BigInt(all.length)
          return { partition, end, lag: end - (committed[partition] ?? 0n) }
        })
      })
  })
}

export const layer = (options?: Options): Layer.Layer<Broker> => Layer.sync(Broker, () => make(options))
