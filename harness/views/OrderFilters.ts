/** Filters of every kind for lists of generated orders, some of which find nothing. */
import { CustomerId } from "../../src/order/OrderId.ts"
import type { OrderFilter } from "../../src/views/order/OrderQueries.ts"

/** `early` and `late` are times at which orders were placed. */
export const filtersBetween = (early: string, late: string): ReadonlyArray<OrderFilter> => [
  {},
  { customerId: CustomerId.make("customer-1") },
  { customerId: CustomerId.make("nobody") },
  { status: ["placed"] },
  { status: ["cancelled", "confirmed", "shipped", "confirmed"] },
  { status: [] },
  { paymentStatus: ["unpaid"] },
  { paymentStatus: ["authorized", "paid", "voided"] },
  { status: ["placed", "confirmed"], paymentStatus: ["unpaid", "authorized"] },
  { customerId: CustomerId.make("customer-2"), status: ["placed", "cancelled"], paymentStatus: ["voided"] },
  { placedAfter: early, placedBefore: late },
  { placedAfter: late, status: ["confirmed"] },
  { placedBefore: "2001-01-01" }
]
