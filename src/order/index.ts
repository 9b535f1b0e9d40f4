/**
 * The door `ordinal/order`: an order as pure data and rules. Commands, events, state, rejections, and the decider that
 * ties them; the aggregate that the kernel hosts; ids and money. Nothing here does I/O.
 */
export { Item, Items, Line, maxLines } from "./Line.ts"
export { Amount, BasisPoints, Currency, PositiveAmount, Quantity } from "./Money.ts"
export { OrderAggregate } from "./OrderAggregate.ts"
export { CallerCancelReason, type Command, CommandName, OrderCommand } from "./OrderCommand.ts"
export { OrderDecider } from "./OrderDecider.ts"
export { CancelReason, OrderEvent } from "./OrderEvent.ts"
export {
  CancellationId,
  CaptureId,
  CustomerId,
  LineId,
  OrderId,
  PaymentId,
  ProductId,
  RefundId,
  ReturnId,
  ShipmentId
} from "./OrderId.ts"
export { OrderPolicies } from "./OrderPolicies.ts"
export {
  AmountExceeded,
  IdReused,
  InvalidOrder,
  InvalidTransition,
  LastLine,
  LineNotFound,
  OrderAlreadyShipped,
  OrderExists,
  OrderNotFound,
  OrderRejection,
  OrderTooLong,
  PaymentClosed,
  PaymentNotFound,
  PaymentRequiredBeforeShipment,
  QuantityExceeded,
  type RejectionOf,
  ShipmentNotFound
} from "./OrderRejection.ts"
export {
  AddLineRequest,
  AuthorizePaymentRequest,
  CancelItemsRequest,
  CancelOrderRequest,
  CapturePaymentRequest,
  ChangeLineQuantityRequest,
  ChangeShippingAddressRequest,
  PlaceOrderRequest,
  RefundPaymentRequest,
  ReturnItemsRequest,
  ShipItemsRequest
} from "./OrderRequest.ts"
export { type Order, OrderLine, OrderState, Payment, Return, Shipment } from "./OrderState.ts"
export { OrderStatus, PaymentStatus } from "./OrderStatus.ts"
export { OrderTotals } from "./OrderTotals.ts"
export { Address, Contact } from "./Text.ts"
