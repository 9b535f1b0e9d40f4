/**
 * Texts are bounded, and hold neither NUL nor lone surrogates, so that PostgreSQL can store them. An address and a
 * contact are made of nothing else.
 */
import { Schema } from "effect"

const isStorable = Schema.makeFilter((text: string) => text.isWellFormed() && !text.includes("\u0000"), {
  expected: "text without NUL and lone surrogates"
})

/** A text has at most 200 characters and may be empty. */
export const Text = Schema.String.check(Schema.isMaxCodePoints(200), isStorable)

/** A name has 1 to 200 characters. */
export const Name = Text.check(Schema.isNonEmpty())

/** A note or reason has at most 2,000 characters. */
export const Note = Schema.String.check(Schema.isMaxCodePoints(2000), isStorable)

export const Email = Text.check(Schema.isPattern(/^[^\s@]+@[^\s@]+$/u, { expected: "an e-mail address" }))

/** An order keeps its customer's name and e-mail as they were when it was placed. */
export const Contact = Schema.Struct({ name: Name, email: Email })
export type Contact = typeof Contact.Type

/** `Intl` also names these, which are no countries of ISO 3166-1: parts of countries, unions, and codes for tests. */
const noCountries: ReadonlySet<string> = new Set("AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ".split(" "))
const regions = new Intl.DisplayNames(["en"], { type: "region", fallback: "none" })

/** `Intl` takes old and informal codes for the official one, as UK for GB; they are no codes themselves. */
const isOfficial = (code: string): boolean =>
  !noCountries.has(code) && new Intl.Locale(`und-${code}`).region === code && regions.of(code) !== undefined

/** There are 676 codes of two letters, and it costs some 20 µs to ask `Intl` about one. */
const known = new Map<string, boolean>()
const isCountry = (code: string): boolean => {
  const is = known.get(code) ?? isOfficial(code)
  known.set(code, is)
  return is
}

const twoCapitals = /^[A-Z]{2}$/u

/** A country is an ISO 3166-1 alpha-2 code, or XK, which the post uses for Kosovo. */
const Country = Schema.String.check(
  Schema.isPattern(twoCapitals, { expected: "two capital letters" }),
  // A text that is not of the form is refused for that alone.
  Schema.makeFilter((code: string) => !twoCapitals.test(code) || isCountry(code), {
    expected: "an ISO 3166-1 country code, such as GB"
  })
)

export const Address = Schema.Struct({
  name: Name,
  line1: Name,
  line2: Schema.optionalKey(Text),
  city: Name,
  region: Schema.optionalKey(Text),
  /** The postal code may be empty, since some countries have none. */
  postalCode: Text,
  country: Country
}).annotate({ identifier: "Address" })
export type Address = typeof Address.Type
