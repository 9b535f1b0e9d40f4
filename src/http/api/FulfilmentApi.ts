/**
 * Defines the commands on an order after it is confirmed: ship, deliver, cancel and return items, and record payments.
 */
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { OrderId, PaymentId, ShipmentId } from "../../order/OrderId.ts"
import * as Request from "../../order/OrderRequest.ts"
import { CommandBoundary } from "./Boundary.ts"
import { commandErrors } from "./EndpointErrors.ts"
import { onOrder } from "./OrderApi.ts"
import { SendsCommand } from "./OrderDocument.ts"
import * as AllowedRoles from "./AllowedRoles.ts"

const onShipment = { ...onOrder, params: { id: OrderId, shipmentId: ShipmentId } }
const onPayment = { ...onOrder, params: { id: OrderId, paymentId: PaymentId } }

export class FulfilmentApi extends HttpApiGroup.make("fulfilment")
  .add(
    HttpApiEndpoint.post("cancelItems", "/orders/:id/cancel-items", {
      ...onOrder,
      payload: Request.CancelItemsRequest,
      error: commandErrors("CancelItems")
    })
      .annotate(SendsCommand, "CancelItems")
      .annotateMerge(AllowedRoles.operator("Cancel items that were not shipped")),
    HttpApiEndpoint.post("ship", "/orders/:id/shipments", {
      ...onOrder,
      payload: Request.ShipItemsRequest,
      error: commandErrors("ShipItems")
    })
      .annotate(SendsCommand, "ShipItems")
      .annotateMerge(AllowedRoles.operator("Ship items; all that is outstanding if none are named")),
    HttpApiEndpoint.post("deliver", "/orders/:id/shipments/:shipmentId/deliver", {
      ...onShipment,
      error: commandErrors("DeliverShipment")
    })
      .annotate(SendsCommand, "DeliverShipment")
      .annotateMerge(AllowedRoles.operator("Record that a shipment was delivered")),
    HttpApiEndpoint.post("returnItems", "/orders/:id/returns", {
      ...onOrder,
      payload: Request.ReturnItemsRequest,
      error: commandErrors("ReturnItems")
    })
      .annotate(SendsCommand, "ReturnItems")
      .annotateMerge(AllowedRoles.customerOrOperator("Take shipped items back")),
    HttpApiEndpoint.post("authorizePayment", "/orders/:id/payments", {
      ...onOrder,
      payload: Request.AuthorizePaymentRequest,
      error: commandErrors("AuthorizePayment")
    })
      .annotate(SendsCommand, "AuthorizePayment")
      .annotateMerge(AllowedRoles.operator("Record an authorized payment")),
    HttpApiEndpoint.post("capturePayment", "/orders/:id/payments/:paymentId/capture", {
      ...onPayment,
      payload: Request.CapturePaymentRequest,
      error: commandErrors("CapturePayment")
    })
      .annotate(SendsCommand, "CapturePayment")
      .annotateMerge(AllowedRoles.operator("Record a capture; all that is left if no amount is named")),
    HttpApiEndpoint.post("voidPayment", "/orders/:id/payments/:paymentId/void", {
      ...onPayment,
      error: commandErrors("VoidPayment")
    })
      .annotate(SendsCommand, "VoidPayment")
      .annotateMerge(AllowedRoles.operator("Release what was not captured")),
    HttpApiEndpoint.post("refundPayment", "/orders/:id/payments/:paymentId/refund", {
      ...onPayment,
      payload: Request.RefundPaymentRequest,
      error: commandErrors("RefundPayment")
    })
      .annotate(SendsCommand, "RefundPayment")
      .annotateMerge(AllowedRoles.operator("Record a refund; all that is left if no amount is named"))
  )
  .middleware(CommandBoundary)
  .annotateMerge(
    OpenApi.annotations({
      title: "Fulfilment",
      description: "Ship, deliver, cancel and return items; record payments."
    })
  ) {}
