/** Amounts of money are integers in minor units, such as cents; the order states its currency once. */
import { Schema } from "effect"

// JSON.parse("-0") is -0, but JSON.stringify writes it as 0, so it would not survive a round trip.
const isNotNegativeZero = Schema.makeFilter((amount: number) => !Object.is(amount, -0), {
  expected: "not negative zero"
})

export const Amount = Schema.Int.check(
  Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
  isNotNegativeZero
)
export type Amount = typeof Amount.Type

/** A payment moves at least 1. */
export const PositiveAmount = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }))

export const Quantity = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 99_999 }))
export type Quantity = typeof Quantity.Type

/** A tax rate is in hundredths of a percent: 1,900 is 19 %. */
export const BasisPoints = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10_000 }), isNotNegativeZero)

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf("currency"))

export const Currency = Schema.String.check(
  Schema.makeFilter((code: string) => currencies.has(code), {
    expected: "an ISO 4217 currency code in upper case",
    arbitraryConstraint: { patterns: [{ source: `^(?:${[...currencies].join("|")})$`, flags: "" }] }
  })
).pipe(Schema.brand("Currency"))
export type Currency = typeof Currency.Type
