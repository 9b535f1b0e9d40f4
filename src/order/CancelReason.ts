import { Schema } from "effect"

/** What a caller may say. */
export const CallerCancelReason = Schema.Literals([
  "customer_request",
  "out_of_stock",
  "pricing_error",
  "fraud_suspected",
  "duplicate",
  "other"
])
export type CallerCancelReason = typeof CallerCancelReason.Type

/** `all_items_cancelled` comes only from CancelItems. */
export const CancelReason = Schema.Literals([...CallerCancelReason.literals, "all_items_cancelled"])
export type CancelReason = typeof CancelReason.Type
