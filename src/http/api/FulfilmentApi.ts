/** The commands on an order after it is confirmed: ship, deliver, cancel and return items, and record payments. */
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
    }).annotateMerge(AllowedRoles.operator("Cancel items that were not shipped")),
    HttpApiEndpoint.post("ship", "/orders/:id/shipments", {
      params: order,
      headers,
      payload: Request.ShipItemsRequest,
      success,
      error: commandErrors("ShipItems")
    }).annotateMerge(AllowedRoles.operator("Ship items; all that is outstanding if none are named")),
    HttpApiEndpoint.post("deliver", "/orders/:id/shipments/:shipmentId/deliver", {
      params: shipment,
      headers,
      success,
      error: commandErrors("DeliverShipment")
    }).annotateMerge(AllowedRoles.operator("Record that a shipment was delivered")),
    HttpApiEndpoint.post("returnItems", "/orders/:id/returns", {
      params: order,
      headers,
      payload: Request.ReturnItemsRequest,
      success,
      error: commandErrors("ReturnItems")
    }).annotateMerge(AllowedRoles.customerOrOperator("Take shipped items back")),
    HttpApiEndpoint.post("authorizePayment", "/orders/:id/payments", {
      params: order,
      headers,
      payload: Request.AuthorizePaymentRequest,
      success,
      error: commandErrors("AuthorizePayment")
    }).annotateMerge(AllowedRoles.operator("Record an authorized payment")),
    HttpApiEndpoint.post("capturePayment", "/orders/:id/payments/:paymentId/capture", {
      params: payment,
      headers,
      payload: Request.CapturePaymentRequest,
      success,
      error: commandErrors("CapturePayment")
    }).annotateMerge(AllowedRoles.operator("Record a capture; all that is left if no amount is named")),
    HttpApiEndpoint.post("voidPayment", "/orders/:id/payments/:paymentId/void", {
      params: payment,
      headers,
      success,
      error: commandErrors("VoidPayment")
    }).annotateMerge(AllowedRoles.operator("Release what was not captured")),
    HttpApiEndpoint.post("refundPayment", "/orders/:id/payments/:paymentId/refund", {
      params: payment,
      headers,
      payload: Request.RefundPaymentRequest,
      success,
      error: commandErrors("RefundPayment")
    }).annotateMerge(AllowedRoles.operator("Record a refund; all that is left if no amount is named"))
  )
  .middleware(CommandBoundary)
  .annotateMerge(
    OpenApi.annotations({
      title: "Fulfilment",
      description: "Ship, deliver, cancel and return items; record payments."
    })
  ) {}
