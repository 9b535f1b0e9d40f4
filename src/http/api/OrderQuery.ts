/** The query strings of lists and counts. All values are text; an unknown parameter is refused. */
import { Schema, SchemaTransformation } from "effect"
import { CustomerId } from "../../order/OrderId.ts"
import { OrderStatus, PaymentStatus } from "../../order/OrderStatus.ts"
import { OrderSort } from "../../views/order/OrderQueries.ts"

const optional = Schema.optionalKey

/** A whole number in decimal digits. `Schema.Int` alone would take `1e2` and `0x10` from a query string, too. */
export const WholeNumber = (minimum: number, maximum: number) =>
  Schema.String.check(Schema.isPattern(/^[0-9]{1,15}$/, { expected: "a whole number" })).pipe(
    Schema.decodeTo(
      Schema.Int.check(Schema.isBetween({ minimum, maximum })),
      SchemaTransformation.transform({ decode: Number, encode: String })
    )
  )

export const CommaList = <S extends Schema.Codec<string, string>>(item: S) =>
  Schema.String.pipe(
    Schema.decodeTo(
      Schema.Array(item),
      SchemaTransformation.transform<ReadonlyArray<string>, string>({
        // An empty list matches nothing.
        decode: (text) => (text === "" ? [] : text.split(",")),
        encode: (items) => items.join(",")
      })
    )
  )

const format = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/

/** An ISO 8601 date and time with its offset, in UTC once decoded: text order is then time order. */
const Instant = Schema.String.check(
  Schema.makeFilter((text: string) => format.test(text) && !Number.isNaN(Date.parse(text)), {
    expected: "a time such as 2026-11-21T23:55:00Z"
  })
).pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform({ decode: (text: string) => new Date(text).toISOString(), encode: (text) => text })
  )
)

const cursor = optional(Schema.String.check(Schema.isNonEmpty(), Schema.isMaxLength(2000)))
const YesNo = Schema.Literals(["true", "false"]).pipe(
  Schema.decodeTo(
    Schema.Boolean,
    SchemaTransformation.transform({ decode: (text) => text === "true", encode: (yes) => (yes ? "true" : "false") })
  )
)

export const CatalogListQuery = { withdrawn: optional(YesNo), limit: optional(WholeNumber(1, 100)), cursor }

export const OrderListQuery = {
  customerId: optional(CustomerId),
  status: optional(CommaList(OrderStatus)),
  paymentStatus: optional(CommaList(PaymentStatus)),
  placedAfter: optional(Instant),
  placedBefore: optional(Instant),
  sort: optional(OrderSort),
  limit: optional(WholeNumber(1, 100)),
  cursor
}

export const OrderCountsQuery = { customerId: optional(CustomerId) }

export const EventListQuery = {
  after: optional(WholeNumber(0, Number.MAX_SAFE_INTEGER)),
  limit: optional(WholeNumber(1, 500))
}
