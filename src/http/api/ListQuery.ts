/**
 * Defines the query strings of lists and counts, and the body that lists have in common. An unknown parameter is
 * refused.
 */
import { Schema } from "effect"
import { CustomerId } from "../../order/OrderId.ts"
import { OrderStatus, PaymentStatus } from "../../order/OrderStatus.ts"
import { OrderSort } from "../../views/order/OrderQueries.ts"
import { CommaList, OffsetDateTime, TrueOrFalse, WholeNumber } from "../wire/Codecs.ts"

const optional = Schema.optionalKey

const page = {
  limit: optional(WholeNumber(1, 100)),
  cursor: optional(Schema.String.check(Schema.isNonEmpty(), Schema.isMaxLength(2000)))
}

export const CatalogListQuery = { withdrawn: optional(TrueOrFalse), ...page }

export const OrderListQuery = {
  customerId: optional(CustomerId),
  status: optional(CommaList(OrderStatus)),
  paymentStatus: optional(CommaList(PaymentStatus)),
  placedAfter: optional(OffsetDateTime),
  placedBefore: optional(OffsetDateTime),
  sort: optional(OrderSort),
  ...page
}

export const OrderCountsQuery = { customerId: optional(CustomerId) }

export const EventListQuery = {
  after: optional(WholeNumber(0, Number.MAX_SAFE_INTEGER)),
  limit: optional(WholeNumber(1, 500))
}

/** Makes the schema of a list's body: one page, and the cursor of the next page. */
export const pageOf = <S extends Schema.Constraint>(item: S) =>
  Schema.Struct({
    data: Schema.Array(item),
    page: Schema.Struct({
      next: optional(Schema.String),
      resume: optional(Schema.String),
      hasMore: Schema.Boolean
    })
  })
