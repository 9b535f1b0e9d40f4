/** Which rejections each command can meet: what its callers have to think of, and what its endpoint documents. */
import type { CommandName } from "./OrderCommand.ts"
import type { OrderRejection } from "./OrderRejection.ts"

/** Of any command on an order that should be there. */
const any = ["OrderNotFound", "OrderTooLong"] as const

export const rejectionsOf = {
  PlaceOrder: ["OrderExists", "InvalidOrder"],
  AddLine: [...any, "IdReused", "InvalidTransition", "InvalidOrder"],
  ChangeLineQuantity: [...any, "LineNotFound", "InvalidTransition", "InvalidOrder"],
  RemoveLine: [...any, "LineNotFound", "InvalidTransition", "LastLine"],
  ChangeShippingAddress: [...any, "InvalidTransition"],
  ConfirmOrder: [...any, "InvalidTransition"],
  ShipItems: [
    ...any,
    "IdReused",
    "InvalidTransition",
    "LineNotFound",
    "QuantityExceeded",
    "PaymentRequiredBeforeShipment"
  ],
  DeliverShipment: [...any, "ShipmentNotFound"],
  ReturnItems: [...any, "IdReused", "InvalidTransition", "LineNotFound", "QuantityExceeded"],
  CancelItems: [...any, "IdReused", "InvalidTransition", "LineNotFound", "QuantityExceeded"],
  CancelOrder: [...any, "OrderAlreadyShipped"],
  AuthorizePayment: [...any, "IdReused", "InvalidTransition", "AmountExceeded"],
  CapturePayment: [...any, "PaymentNotFound", "IdReused", "InvalidTransition", "PaymentClosed", "AmountExceeded"],
  VoidPayment: [...any, "PaymentNotFound", "PaymentClosed"],
  RefundPayment: [...any, "PaymentNotFound", "IdReused", "PaymentClosed", "AmountExceeded"]
} as const satisfies Readonly<Record<CommandName, ReadonlyArray<OrderRejection["_tag"]>>>

export type RejectionOf<Name extends CommandName> = Extract<
  OrderRejection,
  { readonly _tag: (typeof rejectionsOf)[Name][number] }
>
