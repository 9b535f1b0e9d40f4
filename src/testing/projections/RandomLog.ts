/**
 * Makes a log for projections: random scripts of some aggregates, their events side by side in one order. Makes a log that
 * breaks a law small.
 */
import { Effect } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import * as StreamId from "../../eventstore/StreamId.ts"
import { timeOf } from "../Given.ts"
import { dice } from "../laws/Dice.ts"
import * as Scripts from "../laws/Scripts.ts"
import * as Subject from "../laws/Subject.ts"
import { type AggregateClass, type Codec, type Tagged, viaJson } from "../laws/Subject.ts"

/** Any class of `Aggregate.Service`; its types don't matter here. */
export type AnyAggregate = Pick<
  AggregateClass<Codec<string, string>, Codec<unknown>, Codec<Tagged, Tagged>, Codec<Tagged, Tagged>, Codec<unknown>>,
  "category"
> & { readonly definition: object }

/** The log refuses texts that PostgreSQL can't keep: with NUL, or with half of a surrogate pair. */
const isStorable = (data: unknown): boolean => {
  const text = JSON.stringify(data)
  return text.isWellFormed() && !/\\u0000|\\ud[89a-f]/i.test(text)
}

const uuid = (number: number) => `00000000-0000-7000-8000-${String(number).padStart(12, "0")}`

type Stream = Array<Pick<RecordedEvent, "streamId" | "version" | "type" | "schemaVersion" | "data">>

const streamsOf = (aggregate: AnyAggregate, streams: number, length: number, seed: string): ReadonlyArray<Stream> => {
  // Only the schemas of the definition are looked at, each by what it is.
  const { category, definition } = aggregate as AggregateClass<
    Codec<string, string>,
    Codec<unknown>,
    Codec<Tagged, Tagged>,
    Codec<Tagged, Tagged>,
    Codec<unknown>
  >
  const subject = Subject.make({ category, definition })
  const scripts = Scripts.generate(subject, {
    runs: streams,
    length,
    seed: `${seed} ${category}`,
    variety: 4,
    weights: {}
  })
  return [...new Map([...scripts].map((script) => [script.id, script])).values()].map(({ id, trace }) => {
    const stream = trace.events.map((event, index) => {
      const { data, schemaVersion, type } = subject.aggregate.codec.encode(event)
      return { streamId: StreamId.make(category, id), version: index + 1, type, schemaVersion, data: viaJson(data) }
    })
    const refused = stream.findIndex(({ data }) => !isStorable(data))
    return refused < 0 ? stream : stream.slice(0, refused)
  })
}

/** Makes the log of so many streams of each aggregate. The same seed makes the same one. */
export const make = (
  from: ReadonlyArray<AnyAggregate>,
  { length, seed, streams }: { readonly streams: number; readonly length: number; readonly seed: string }
): ReadonlyArray<RecordedEvent> => {
  const random = dice(seed)
  const waiting = from
    .flatMap((aggregate) => streamsOf(aggregate, streams, length, seed))
    .filter((stream) => stream.length > 0)
  const log: Array<RecordedEvent> = []
  while (waiting.length > 0) {
    const at = random.below(waiting.length)
    const event = waiting[at]?.shift()
    if (event === undefined) {
      waiting.splice(at, 1)
      continue
    }
    const number = log.length + 1
    const metadata = { commandId: uuid(number), correlationId: uuid(number), causationId: uuid(number) }
    log.push({ ...event, eventId: uuid(number), position: BigInt(number), recordedAt: timeOf(number), metadata })
  }
  return log
}

type Log = ReadonlyArray<RecordedEvent>

const withoutLast = (log: Log, streamId: string, count: number): Log => {
  const kept = log.filter((event) => event.streamId === streamId).length - count
  return log.filter((event) => event.streamId !== streamId || event.version <= kept)
}

/**
 * Leaves out the last events of streams, and so whole streams, as long as the log still breaks a law. In the end it breaks
 * none any more if any stream is without its last event; one event is left at least.
 */
export const shrink = Effect.fnUntraced(function* <E, R>(log: Log, breaks: (log: Log) => Effect.Effect<boolean, E, R>) {
  let smallest = log
  const attempt = Effect.fnUntraced(function* (tried: Log) {
    const isSmaller = tried.length > 0 && tried.length < smallest.length && (yield* breaks(tried))
    if (isSmaller) smallest = tried
    return isSmaller
  })
  for (let before = Infinity; smallest.length < before;) {
    before = smallest.length
    for (const streamId of new Set(smallest.map((event) => event.streamId))) {
      for (let count = smallest.length; count >= 1; count = Math.floor(count / 2)) {
        while (yield* attempt(withoutLast(smallest, streamId, count))) continue
      }
    }
  }
  return smallest
})
