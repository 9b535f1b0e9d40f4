/** Defines the commands on an order until it is confirmed or cancelled. */
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { LineId, OrderId } from "../../order/OrderId.ts"
import * as Request from "../../order/OrderRequest.ts"
import { CommandBoundary } from "./Boundary.ts"
import { commandErrors } from "./EndpointErrors.ts"
import * as HttpHeaders from "./HttpHeaders.ts"
import { OrderDocument, SendsCommand } from "./OrderDocument.ts"
import { Problems } from "../problems/Problems.ts"
import { accepted, OrderReceipt } from "./Receipt.ts"
import * as AllowedRoles from "./AllowedRoles.ts"

const receipt = HttpApiSchema.WithHeaders(OrderReceipt.pipe(accepted), HttpHeaders.receipt)

/**
 * The answer is 202 with the receipt, or 200 with the order if the caller waits for the view and the view gets there.
 */
const success = [receipt, HttpApiSchema.WithHeaders(OrderDocument, HttpHeaders.view)] as const

const placed = [
  receipt,
  HttpApiSchema.WithHeaders(OrderDocument.pipe(HttpApiSchema.status(201)), HttpHeaders.view)
] as const

export const onOrder = { params: { id: OrderId }, headers: HttpHeaders.command, success }
const onLine = { ...onOrder, params: { id: OrderId, lineId: LineId } }

export class OrderApi extends HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.post("place", "/orders", {
      headers: HttpHeaders.command,
      payload: Request.PlaceOrderRequest,
      success: placed,
      error: [...commandErrors("PlaceOrder"), Problems.UnknownProduct, Problems.UnknownCustomer]
    })
      .annotate(SendsCommand, "PlaceOrder")
      .annotateMerge(AllowedRoles.customerOrOperator("Place an order")),
    HttpApiEndpoint.post("addLine", "/orders/:id/lines", {
      ...onOrder,
      payload: Request.AddLineRequest,
      error: [...commandErrors("AddLine"), Problems.UnknownProduct]
    })
      .annotate(SendsCommand, "AddLine")
      .annotateMerge(AllowedRoles.customerOrOperator("Add a line to a placed order")),
    HttpApiEndpoint.patch("changeLineQuantity", "/orders/:id/lines/:lineId", {
      ...onLine,
      payload: Request.ChangeLineQuantityRequest,
      error: commandErrors("ChangeLineQuantity")
    })
      .annotate(SendsCommand, "ChangeLineQuantity")
      .annotateMerge(AllowedRoles.customerOrOperator("Change the quantity of a line")),
    HttpApiEndpoint.delete("removeLine", "/orders/:id/lines/:lineId", {
      ...onLine,
      error: commandErrors("RemoveLine")
    })
      .annotate(SendsCommand, "RemoveLine")
      .annotateMerge(AllowedRoles.customerOrOperator("Remove a line")),
    HttpApiEndpoint.put("changeShippingAddress", "/orders/:id/shipping-address", {
      ...onOrder,
      payload: Request.ChangeShippingAddressRequest,
      error: commandErrors("ChangeShippingAddress")
    })
      .annotate(SendsCommand, "ChangeShippingAddress")
      .annotateMerge(AllowedRoles.customerOrOperator("Change the shipping address")),
    HttpApiEndpoint.post("confirm", "/orders/:id/confirm", {
      ...onOrder,
      error: commandErrors("ConfirmOrder")
    })
      .annotate(SendsCommand, "ConfirmOrder")
      .annotateMerge(AllowedRoles.customerOrOperator("Confirm an order")),
    HttpApiEndpoint.post("cancel", "/orders/:id/cancel", {
      ...onOrder,
      payload: Request.CancelOrderRequest,
      error: commandErrors("CancelOrder")
    })
      .annotate(SendsCommand, "CancelOrder")
      .annotateMerge(AllowedRoles.customerOrOperator("Cancel an order of which nothing was shipped"))
  )
  .middleware(CommandBoundary)
  .annotateMerge(
    OpenApi.annotations({ title: "Orders", description: "Place an order, edit it, confirm it, cancel it." })
  ) {}
