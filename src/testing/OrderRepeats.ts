/** Commands that carry an id of their own, and the same id with another content. */
import type { OrderCommand } from "../order/OrderCommand.ts"

/** Its repeat must be nothing in every later state. */
export const identified = (command: OrderCommand): boolean => {
  switch (command._tag) {
    case "PlaceOrder":
    case "AddLine":
    case "RemoveLine":
    case "ShipItems":
    case "DeliverShipment":
    case "ReturnItems":
    case "AuthorizePayment":
    case "VoidPayment":
      return true
    case "CancelItems":
      return command.cancellationId !== undefined
    case "CapturePayment":
      return command.captureId !== undefined
    case "RefundPayment":
      return command.refundId !== undefined
    case "ChangeLineQuantity":
    case "ChangeShippingAddress":
    case "ConfirmOrder":
    case "CancelOrder":
      return false
  }
}

/** Undefined for commands whose id is all their content. */
export const withOtherContent = (command: OrderCommand): OrderCommand | undefined => {
  switch (command._tag) {
    case "PlaceOrder":
      return { ...command, request: `${command.request}, but not quite` }
    case "AddLine":
      return { ...command, line: { ...command.line, quantity: command.line.quantity + 1 } }
    case "ShipItems":
      return { ...command, tracking: "another" }
    case "ReturnItems":
    case "CancelItems":
      return { ...command, reason: "another" }
    case "AuthorizePayment":
      return { ...command, amount: command.amount + 1 }
    case "CapturePayment":
    case "RefundPayment":
      return { ...command, amount: 1_000_000 }
    case "ChangeLineQuantity":
    case "RemoveLine":
    case "ChangeShippingAddress":
    case "ConfirmOrder":
    case "DeliverShipment":
    case "CancelOrder":
    case "VoidPayment":
      return undefined
  }
}
