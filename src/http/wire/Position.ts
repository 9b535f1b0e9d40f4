import { Schema, SchemaTransformation } from "effect"

/** Positions on the wire: JSON numbers. */
export const Position = Schema.Int.pipe(
  Schema.decodeTo(Schema.BigInt, SchemaTransformation.transform({ decode: (n: number) => BigInt(n), encode: Number }))
)
