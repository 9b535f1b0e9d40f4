import { Schema } from "effect"
import { Name, Text } from "./Text.ts"

export const Address = Schema.Struct({
  name: Name,
  line1: Name,
  line2: Schema.optionalKey(Text),
  city: Name,
  region: Schema.optionalKey(Text),
  /** May be empty: some countries have none. */
  postalCode: Text,
  /** ISO 3166-1 alpha-2. */
  country: Schema.String.check(Schema.isPattern(/^[A-Z]{2}$/u, { expected: "two capital letters" }))
}).annotate({ identifier: "Address" })
export type Address = typeof Address.Type
