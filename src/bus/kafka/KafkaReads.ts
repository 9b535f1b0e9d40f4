/** Reads the last records of each partition, without a group. */
import type * as Library from "@platformatic/kafka"
import { Effect } from "effect"
import type { StoredRecord } from "../Broker.ts"
import { call } from "./KafkaClient.ts"

/** Records are read as soon as the brokers have replicated them. */
const uncommitted = 0
const earliest = -2n
const latest = -1n

type Headers = Iterable<readonly [Buffer | null | undefined, Buffer | null | undefined]>

/** Translates a record as the client gives it. */
export const stored = (
  partition: number,
  offset: bigint,
  { headers, key, value }: { readonly key: Buffer | null; readonly value: Buffer | null; readonly headers: Headers }
): StoredRecord => ({
  key: key?.toString(),
  value: value ?? undefined,
  headers: Object.fromEntries(Array.from(headers, ([name, text]) => [String(name), text?.toString() ?? ""])),
  partition,
  offset
})

type FetchedPartition = Awaited<ReturnType<Library.Consumer["fetch"]>>["responses"][number]["partitions"][number]

interface Range {
  readonly partition: number
  readonly end: bigint
  /** The offset to go on from. */
  next: bigint
}

const ranges = Effect.fnUntraced(function* (consumer: Library.Consumer, topic: string, count: number) {
  const offsets = (timestamp: bigint) =>
    Effect.map(
      call(() => consumer.listOffsets({ topics: [topic], timestamp, isolationLevel: uncommitted })),
      (all) => all.get(topic) ?? []
    )
  const ends = yield* offsets(latest)
  const starts = yield* offsets(earliest)
  return ends.map((end, partition): Range => {
    const start = starts[partition] ?? 0n
    const wanted = end - BigInt(count)
    return { partition, end, next: wanted > start ? wanted : start }
  })
})

export const last = Effect.fnUntraced(function* (consumer: Library.Consumer, topic: string, count: number) {
  const records: Array<StoredRecord> = []
  const left = yield* ranges(consumer, topic, count)

  const take = ({ partitionIndex, records: batches }: FetchedPartition) => {
    const range = left[partitionIndex]
    if (range === undefined) return
    for (const batch of batches ?? []) {
      for (const record of batch.records) {
        const offset = batch.firstOffset + BigInt(record.offsetDelta)
        // A batch begins before what was asked for; it may be a marker of a transaction, which is no record.
        if (offset < range.next || offset >= range.end || (batch.attributes & 32) !== 0) continue
        records.push(stored(partitionIndex, offset, record))
      }
      const next = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n
      if (next > range.next) range.next = next
    }
  }

  const fetch = Effect.fnUntraced(function* (range: Range) {
    const metadata = yield* call(() => consumer.metadata({ topics: [topic] }))
    const { id, partitions } = metadata.topics.get(topic)!
    const from = { partition: range.partition, fetchOffset: range.next, partitionMaxBytes: 4 * 1024 ** 2 }
    const response = yield* call(() =>
      consumer.fetch({
        node: partitions[range.partition]!.leader,
        maxWaitTime: 200,
        maxBytes: 8 * 1024 ** 2,
        isolationLevel: uncommitted,
        topics: [{ topicId: id, partitions: [{ ...from, currentLeaderEpoch: -1, lastFetchedEpoch: -1 }] }]
      })
    )
    for (const { partitions } of response.responses) partitions.forEach(take)
  })

  for (const range of left) {
    yield* Effect.whileLoop({ while: () => range.next < range.end, body: () => fetch(range), step: () => {} })
  }
  return records
})
