/**
 * Defines the codecs of single values: positions in JSON, and numbers, times, lists and booleans in query strings.
 * A text's `contentSchema` says what the OpenAPI document calls it: a caller of a generated client passes a number.
 */
import { Schema, SchemaTransformation } from "effect"
import { OffsetTime } from "../../views/Time.ts"

/** A position of the log is a number in JSON. */
export const Position = Schema.Int.pipe(
  Schema.decodeTo(Schema.BigInt, SchemaTransformation.transform({ decode: (n: number) => BigInt(n), encode: Number }))
)

/** Reads a whole number in decimal digits; `Schema.FiniteFromString` would take `1e2` and `0x10`, too. */
export const WholeNumber = (minimum: number, maximum: number) =>
  Schema.String.annotate({ contentSchema: { type: "integer", minimum, maximum } })
    .check(Schema.isPattern(/^[0-9]{1,15}$/u, { expected: "a whole number" }))
    .pipe(
      Schema.decodeTo(
        Schema.Int.check(Schema.isBetween({ minimum, maximum })),
        SchemaTransformation.transform({ decode: Number, encode: String })
      )
    )

/** Reads items with commas between them, or one parameter for each; there must be one at least. */
export const CommaList = <S extends Schema.Codec<string, string>>(item: S) =>
  Schema.Union([Schema.String, Schema.Array(Schema.String)])
    .annotate({
      contentSchema: { type: "array", items: { ...Schema.toJsonSchemaDocument(item).schema } as Schema.JsonObject }
    })
    .pipe(
      Schema.decodeTo(
        Schema.Array(item).check(Schema.isMinLength(1, { expected: "at least one value; leave it out to get all" })),
        SchemaTransformation.transform<ReadonlyArray<string>, string | ReadonlyArray<string>>({
          decode: (given) => (given === "" ? [] : [given].flat().flatMap((text) => text.split(","))),
          encode: (items) => items.join(",")
        })
      )
    )

/** Reads an ISO 8601 date and time with its offset, and decodes it to UTC, so that text order is time order. */
export const OffsetDateTime = OffsetTime.pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({ decode: (text: string) => new Date(text).toISOString(), encode: (text) => text })
  )
)

export const TrueOrFalse = Schema.Literals(["true", "false"])
  .annotate({ contentSchema: { type: "boolean" } })
  .pipe(
    Schema.decodeTo(
      Schema.Boolean,
      SchemaTransformation.transform({ decode: (text) => text === "true", encode: (is) => (is ? "true" : "false") })
    )
  )
