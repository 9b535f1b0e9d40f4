/**
 * Text that PostgreSQL can hold and a person would read: bounded, without NUL or lone surrogates. An address and a
 * contact are made of nothing else.
 */
import { Schema } from "effect"

const isStorable = Schema.makeFilter((text: string) => text.isWellFormed() && !text.includes("\u0000"), {
  expected: "text without NUL and lone surrogates"
})

/** At most 200 characters; may be empty. */
export const Text = Schema.String.check(Schema.isMaxCodePoints(200), isStorable)

/** 1 to 200 characters. */
export const Name = Text.check(Schema.isNonEmpty())

/** At most 2,000 characters, for notes and reasons. */
export const Note = Schema.String.check(Schema.isMaxCodePoints(2000), isStorable)

export const Email = Text.check(Schema.isPattern(/^[^\s@]+@[^\s@]+$/u, { expected: "an e-mail address" }))

/** A customer's name and e-mail, as they were when the order was placed. */
export const Contact = Schema.Struct({ name: Name, email: Email })
export type Contact = typeof Contact.Type

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
