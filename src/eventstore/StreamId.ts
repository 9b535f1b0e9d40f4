/** A stream is named `<category>-<id>`; the category ends at the first hyphen and belongs to one type of aggregate. */
import { Schema } from "effect"

const pattern = /^[a-z]+-.{1,200}$/

export const StreamId = Schema.String.pipe(Schema.check(Schema.isPattern(pattern)), Schema.brand("StreamId"))
export type StreamId = typeof StreamId.Type

/** Makes the id of a stream; dies if the category is not lower-case letters or the id has not 1 to 200 characters. */
export const make = (category: string, id: string): StreamId => {
  const text = `${category}-${id}`
  // Every command makes one, and the schema takes ten times as long; it has the words for what is wrong.
  return pattern.test(text) ? (text as StreamId) : StreamId.make(text)
}

/** Returns the category of a stream, as `order` of `order-17`. */
export const category = (streamId: string): string => streamId.slice(0, streamId.indexOf("-"))

/** Returns what follows the category, as `17` of `order-17`. */
export const id = (streamId: string): string => streamId.slice(streamId.indexOf("-") + 1)
