/** Defines the codecs of single values: positions in JSON, and numbers, times, lists and booleans in query strings. */
import { Schema, SchemaTransformation } from "effect"

/** A position of the log is a number in JSON. */
export const Position = Schema.Int.pipe(
  Schema.decodeTo(Schema.BigInt, SchemaTransformation.transform({ decode: (n: number) => BigInt(n), encode: Number }))
)

/** Reads a whole number in decimal digits; `Schema.FiniteFromString` would take `1e2` and `0x10`, too. */
export const WholeNumber = (minimum: number, maximum: number) =>
  Schema.String.check(Schema.isPattern(/^[0-9]{1,15}$/, { expected: "a whole number" })).pipe(
    Schema.decodeTo(
      Schema.Int.check(Schema.isBetween({ minimum, maximum })),
      SchemaTransformation.transform({ decode: Number, encode: String })
    )
  )

/** Reads items with commas between them; an empty text is an empty list, which matches nothing. */
export const CommaList = <S extends Schema.Codec<string, string>>(item: S) =>
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.Array(item),
      SchemaTransformation.transform<ReadonlyArray<string>, string>({
        decode: (text) => (text === "" ? [] : text.split(",")),
        encode: (items) => items.join(",")
      })
    )
  )

const dateTime = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/

/** Reads an ISO 8601 date and time with its offset, and decodes it to UTC, so that text order is time order. */
export const OffsetDateTime = Schema.String.check(
  Schema.makeFilter((text: string) => dateTime.test(text) && !Number.isNaN(Date.parse(text)), {
    expected: "a time such as 2026-11-21T23:55:00Z"
  })
).pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({ decode: (text: string) => new Date(text).toISOString(), encode: (text) => text })
  )
)

export const TrueOrFalse = Schema.Literals(["true", "false"]).pipe(
  Schema.decodeTo(
    Schema.Boolean,
    SchemaTransformation.transform({ decode: (text) => text === "true", encode: (is) => (is ? "true" : "false") })
  )
)
