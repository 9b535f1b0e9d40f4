/**
 * Consumes a topic as a member of a group. Offsets are committed after the records are handled, never before. A member
 * whose stream ends, as by a lost connection, fails; whoever runs it starts it again.
 */
import type * as Library from "@platformatic/kafka"
import { Array as Arr, Duration, Effect, Latch } from "effect"
import { BrokerUnavailable, type PartitionLag, type Records } from "../Broker.ts"
import { call, retries, unavailable } from "./KafkaClient.ts"
import { stored } from "./KafkaReads.ts"

/** A member that says nothing for so long is taken for dead, and its partitions go to others. */
const session = { sessionTimeout: 10_000, heartbeatInterval: 2_000, rebalanceTimeout: 20_000 }

/** Who wants to be a member gets an answer once all others have asked anew, or were taken for dead. */
export const joining = { requestTimeout: 30_000 }

/** Takes so many records at once, and holds no more of them than twice as many. */
const page = 500

export const groupOptions = (
  base: Library.BaseOptions,
  groupId: string
): Library.ConsumerOptions<Buffer, Buffer, Buffer, Buffer> => ({
  ...base,
  groupId,
  retries,
  ...session,
  autocommit: false,
  isolationLevel: 1,
  maxWaitTime: 500
})

/** Hands over what the stream has delivered, in pages; fails once the stream has ended. */
const pages = (stream: Library.MessagesStream<Buffer, Buffer, Buffer, Buffer>) => {
  const waiting: Array<Library.Message> = []
  const changed = Latch.makeUnsafe()
  let ended: BrokerUnavailable | undefined
  const end = (error?: unknown) => {
    ended ??= error === undefined ? BrokerUnavailable.because("the stream of records ended") : unavailable(error)
    changed.openUnsafe()
  }
  stream.on("data", (message: Library.Message) => {
    waiting.push(message)
    if (waiting.length >= page) stream.pause()
    changed.openUnsafe()
  })
  stream.on("error", end)
  stream.on("close", () => end())
  return Effect.gen(function* () {
    yield* changed.await
    if (ended !== undefined) return yield* ended
    const messages = waiting.splice(0, page)
    if (waiting.length === 0) {
      changed.closeUnsafe()
      if (stream.isPaused()) stream.resume()
    }
    return messages
  })
}

/** The next offsets of the partitions of these messages. */
const offsetsOf = (topic: string, messages: ReadonlyArray<Library.Message>) => {
  const next = new Map<number, Library.CommitOptionsPartition>()
  for (const { leaderEpoch, offset, partition } of messages) {
    next.set(partition, { topic, partition, offset: offset + 1n, leaderEpoch })
  }
  return [...next.values()]
}

export const consume = Effect.fnUntraced(function* <E, R>(
  consumer: Library.Consumer,
  topic: string,
  handle: (records: Records) => Effect.Effect<void, E, R>
) {
  const stream = yield* call(
    () => consumer.consume({ topics: [topic], mode: "committed", fallbackMode: "earliest", autocommit: false }),
    Duration.millis(joining.requestTimeout)
  )
  const next = pages(stream)
  const step = Effect.gen(function* () {
    const messages = yield* next
    const records = messages.map((message) =>
      stored(message.partition, message.offset, { ...message, headers: message.headerEntries })
    )
    if (!Arr.isReadonlyArrayNonEmpty(records)) return
    yield* handle(records)
    yield* call(() => consumer.commit({ offsets: offsetsOf(topic, messages) }))
  })
  return yield* Effect.forever(step).pipe(
    Effect.ensuring(Effect.promise(() => stream.close().catch(() => {})).pipe(Effect.timeoutOption("2 seconds")))
  )
})

export const lag = Effect.fnUntraced(function* (consumer: Library.Consumer, topic: string) {
  const ends = yield* call(() => consumer.listOffsets({ topics: [topic], isolationLevel: 0 }))
  const all = ends.get(topic) ?? []
  const committed = yield* call(() =>
    consumer.listCommittedOffsets({ topics: [{ topic, partitions: all.map((_, partition) => partition) }] })
  )
  return all.map((end, partition): PartitionLag => {
    const next = committed.get(topic)?.[partition] ?? -1n
    return { partition, end, lag: end - (next < 0n ? 0n : next) }
  })
})
