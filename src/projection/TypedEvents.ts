/**
 * The events that a projection or a subscription is given, decoded, by what it reads `from`: `Aggregate.Service` classes,
 * aggregates that are plain values, or names of categories, whose events nobody decodes.
 */
import { Array as Arr } from "effect"
import type { Stored } from "../aggregate/AggregateService.ts"
import type { EventCodec } from "../aggregate/EventCodec.ts"
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import type { Batch } from "./Projection.ts"

type Decoded<Event> = Pick<EventCodec<Event>, "decode">

/** A class of `Aggregate.Service`, in so far as its events are read. */
interface ServiceSource {
  readonly category: string
  readonly definition: { readonly id: { readonly Type: string } }
  readonly aggregate: { readonly codec: Decoded<unknown> }
}

/** An aggregate that is a plain value. */
interface ValueSource {
  readonly category: string
  readonly codec: Decoded<unknown>
}

/** Events are read from an aggregate, or from a category by its name. */
export type Source = ServiceSource | ValueSource | string

interface Identity<Category, Id> {
  /** The category of the stream, which tells apart the events of several aggregates. */
  readonly category: Category
  /** The id of the aggregate. */
  readonly id: Id
}

/** An event of this source: decoded, with all that the log knows of it, its aggregate's category and id. */
export type EventFrom<From extends Source> = From extends string
  ? RecordedEvent
  : From extends {
        readonly category: infer Category
        readonly definition: { readonly id: { readonly Type: infer Id } }
        readonly aggregate: { readonly codec: Decoded<infer Event> }
      }
    ? Stored<Event> & Identity<Category, Id>
    : From extends { readonly category: infer Category; readonly codec: Decoded<infer Event> }
      ? Stored<Event> & Identity<Category, string>
      : never

/** A handler is given at least one event, in the order of the log. */
export type Events<From extends Source> = Arr.NonEmptyReadonlyArray<EventFrom<From>>

const categoryOf = (source: Source): string => (typeof source === "string" ? source : source.category)

export const categoriesOf = (from: ReadonlyArray<Source>): ReadonlyArray<string> => {
  if (from.length === 0) throw new TypeError("It reads from nothing; name an aggregate or a category.")
  return [...new Set(from.map(categoryOf))]
}

/**
 * Makes a function that decodes a batch. It throws what decoding throws: an event that is not known fails alone, as any
 * other that a handler can't bear.
 */
export const decoder = <From extends Source>(from: ReadonlyArray<From>) => {
  const codecs = new Map(
    from.flatMap((source: Source) =>
      typeof source === "string"
        ? []
        : [[source.category, "codec" in source ? source.codec : source.aggregate.codec] as const]
    )
  )
  const decode = (recorded: RecordedEvent): unknown => {
    const { eventId, metadata, position, recordedAt, streamId, version } = recorded
    const category = StreamId.category(streamId)
    const codec = codecs.get(category)
    if (codec === undefined) return recorded
    const event = codec.decode(recorded)
    return { event, category, id: StreamId.id(streamId), eventId, metadata, position, recordedAt, streamId, version }
  }
  // The categories that the runner gives are those of `from`.
  return (events: Batch): Events<From> => Arr.map(events, decode) as Events<From>
}
