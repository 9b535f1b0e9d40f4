import { Schema } from "effect"
import { CustomerId } from "../../order/OrderId.ts"
import { OrderStatus, PaymentStatus } from "../../order/OrderStatus.ts"

const iso = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d))?$/

/** A date (midnight UTC), or date and time with offset; looked at to the millisecond. */
const Instant = Schema.String.check(
  Schema.makeFilter((text: string) => iso.test(text) && !Number.isNaN(Date.parse(text)), {
    expected: "a time as 2026-11-21T23:55:00Z"
  })
)

/** All members must match; an empty list matches nothing. `placedAfter` is inclusive, `placedBefore` exclusive. */
export const OrderFilter = Schema.Struct({
  customerId: Schema.optionalKey(CustomerId),
  status: Schema.optionalKey(Schema.Array(OrderStatus)),
  paymentStatus: Schema.optionalKey(Schema.Array(PaymentStatus)),
  placedAfter: Schema.optionalKey(Instant),
  placedBefore: Schema.optionalKey(Instant)
})
export type OrderFilter = typeof OrderFilter.Type

/** `updatedAt` is for polling: ascending by position, a changed order comes again. */
export const OrderSort = Schema.Literals(["-placedAt", "placedAt", "updatedAt"])
export type OrderSort = typeof OrderSort.Type
