/** A stream is named `<category>-<id>`; the category ends at the first hyphen and belongs to one type of aggregate. */
import { Schema } from "effect"

export const StreamId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[a-z]+-.{1,200}$/)),
  Schema.brand("StreamId")
)
export type StreamId = typeof StreamId.Type

/** Makes the id of a stream; dies if the category is not lower-case letters or the id has not 1 to 200 characters. */
export const make = (category: string, id: string): StreamId => StreamId.make(`${category}-${id}`)

/** Returns the category of a stream, as `order` of `order-17`. */
export const category = (streamId: string): string => streamId.slice(0, streamId.indexOf("-"))

/** Returns what follows the category, as `17` of `order-17`. */
export const id = (streamId: string): string => streamId.slice(streamId.indexOf("-") + 1)
