/** The commands after an order is confirmed: ship, deliver, cancel and return items, and record payments. */
import { HttpApiEndpoint, HttpApiGroup, OpenApi } from "effect/http-api"
import { OrderId, PaymentId, ShipmentId } from "../../order/OrderId.ts"
import * as Request from "../../order/OrderRequest.ts"
import { CommandBoundary } from "./Boundary.ts"
import { commandErrors } from "./EndpointErrors.ts"
import * as HttpHeaders from "./HttpHeaders.ts"
import { success } from "./OrderApi.ts"
import * as AllowedRoles from "./AllowedRoles.ts"

const order = { id: OrderId }
const shipment = { ...order, shipmentId: ShipmentId }
const payment = { ...order, paymentId: PaymentId }
const { command: headers } = HttpHeaders

export class FulfilmentApi extends HttpApiGroup.make("fulfilment")
  .add(
    HttpApiEndpoint.post("cancelItems", "/orders/:id/cancel-items", {
      params: order,
      headers,
      payload: Request.CancelItemsRequest,
      success,
      error: commandErrors("CancelItems")
    })
      .annotate(OpenApi.Summary, "Cancel items that were not shipped")
      .annotateMerge(AllowedRoles.operator),
    HttpApiEndpoint.post("ship", "/orders/:id/shipments", {
      params: order,
      headers,
      payload: Request.ShipItemsRequest,
      success,
      error: commandErrors("ShipItems")
    })
      .annotate(OpenApi.Summary, "Ship items; all that is outstanding if none are named")
      .annotateMerge(AllowedRoles.operator),
    HttpApiEndpoint.post("deliver", "/orders/:id/shipments/:shipmentId/deliver", {
      params: shipment,
      headers,
      success,
      error: commandErrors("DeliverShipment")
    })
      .annotate(OpenApi.Summary, "Record that a shipment was delivered")
      .annotateMerge(AllowedRoles.operator),
    HttpApiEndpoint.post("returnItems", "/orders/:id/returns", {
      params: order,
      headers,
      payload: Request.ReturnItemsRequest,
      success,
      error: commandErrors("ReturnItems")
    })
      .annotate(OpenApi.Summary, "Take shipped items back")
      .annotateMerge(AllowedRoles.customerOrOperator),
    HttpApiEndpoint.post("authorizePayment", "/orders/:id/payments", {
      params: order,
      headers,
      payload: Request.AuthorizePaymentRequest,
      success,
      error: commandErrors("AuthorizePayment")
    })
      .annotate(OpenApi.Summary, "Record an authorized payment")
      .annotateMerge(AllowedRoles.operator),
    HttpApiEndpoint.post("capturePayment", "/orders/:id/payments/:paymentId/capture", {
      params: payment,
      headers,
      payload: Request.CapturePaymentRequest,
      success,
      error: commandErrors("CapturePayment")
    })
      .annotate(OpenApi.Summary, "Record a capture; all that is left if no amount is named")
      .annotateMerge(AllowedRoles.operator),
    HttpApiEndpoint.post("voidPayment", "/orders/:id/payments/:paymentId/void", {
      params: payment,
      headers,
      success,
      error: commandErrors("VoidPayment")
    })
      .annotate(OpenApi.Summary, "Release what was not captured")
      .annotateMerge(AllowedRoles.operator),
    HttpApiEndpoint.post("refundPayment", "/orders/:id/payments/:paymentId/refund", {
      params: payment,
      headers,
      payload: Request.RefundPaymentRequest,
      success,
      error: commandErrors("RefundPayment")
    })
      .annotate(OpenApi.Summary, "Record a refund; all that is left if no amount is named")
      .annotateMerge(AllowedRoles.operator)
  )
  .middleware(CommandBoundary)
  .annotateMerge(
    OpenApi.annotations({
      title: "Fulfilment",
      description: "Ship, deliver, cancel and return items; record payments."
    })
  ) {}
