/** Lists the rejections that each command can meet. The laws hold this table to what the decider does. */
import type { CommandName } from "../OrderCommand.ts"
import type { OrderRejection } from "../OrderRejection.ts"

/** Any command on an existing order can meet these. */
const any = ["OrderNotFound", "OrderTooLong"] as const

/** Callers have to think of these rejections, and the endpoint of the command documents them. */
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

/** Gives the type of the rejections that one command can meet. */
export type RejectionOf<Name extends CommandName> = Extract<
  OrderRejection,
  { readonly _tag: (typeof rejectionsOf)[Name][number] }
>
