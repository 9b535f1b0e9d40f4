import { Schema } from "effect"

/** `<category>-<id>`: the category is everything before the first hyphen and never contains one. */
export const StreamId = Schema.String.pipe(
  Schema.check(Schema.isPattern(/^[a-z]+-.{1,200}$/)),
  Schema.brand("StreamId")
)
export type StreamId = typeof StreamId.Type

export const make = (category: string, id: string): StreamId => StreamId.make(`${category}-${id}`)

export const category = (streamId: string): string => streamId.slice(0, streamId.indexOf("-"))

export const id = (streamId: string): string => streamId.slice(streamId.indexOf("-") + 1)
