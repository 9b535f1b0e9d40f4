/** The commands on an order. */
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { LineId, OrderId } from "../../order/OrderId.ts"
import * as Request from "../../order/OrderRequest.ts"
import { OrderView } from "../../views/order/OrderView.ts"
import { CommandBoundary } from "./Boundary.ts"
import { commandErrors } from "./EndpointErrors.ts"
import * as HttpHeaders from "./HttpHeaders.ts"
import { Problems } from "../problems/Problems.ts"
import { accepted, OrderReceipt } from "./Receipt.ts"
import * as AllowedRoles from "./AllowedRoles.ts"

const receipt = HttpApiSchema.WithHeaders(OrderReceipt.pipe(accepted), HttpHeaders.receipt)

/** 202 with the receipt, or 200 with the order if the caller waited for the view and it got there. */
export const success = [receipt, HttpApiSchema.WithHeaders(OrderView, HttpHeaders.view)] as const

const placed = [
  receipt,
  HttpApiSchema.WithHeaders(OrderView.pipe(HttpApiSchema.status(201)), HttpHeaders.view)
] as const

const order = { id: OrderId }
const line = { ...order, lineId: LineId }
const { command: headers } = HttpHeaders

export class OrderApi extends HttpApiGroup.make("orders")
  .add(
    HttpApiEndpoint.post("place", "/orders", {
      headers: HttpHeaders.command,
      payload: Request.PlaceOrderRequest,
      success: placed,
      error: [...commandErrors("PlaceOrder"), Problems.UnknownProduct, Problems.UnknownCustomer]
    }).annotateMerge(AllowedRoles.customerOrOperator("Place an order")),
    HttpApiEndpoint.post("addLine", "/orders/:id/lines", {
      params: order,
      headers,
      payload: Request.AddLineRequest,
      success,
      error: [...commandErrors("AddLine"), Problems.UnknownProduct]
    }).annotateMerge(AllowedRoles.customerOrOperator("Add a line to a placed order")),
    HttpApiEndpoint.patch("changeLineQuantity", "/orders/:id/lines/:lineId", {
      params: line,
      headers,
      payload: Request.ChangeLineQuantityRequest,
      success,
      error: commandErrors("ChangeLineQuantity")
    }).annotateMerge(AllowedRoles.customerOrOperator("Change the quantity of a line")),
    HttpApiEndpoint.delete("removeLine", "/orders/:id/lines/:lineId", {
      params: line,
      headers,
      success,
      error: commandErrors("RemoveLine")
    }).annotateMerge(AllowedRoles.customerOrOperator("Remove a line")),
    HttpApiEndpoint.put("changeShippingAddress", "/orders/:id/shipping-address", {
      params: order,
      headers,
      payload: Request.ChangeShippingAddressRequest,
      success,
      error: commandErrors("ChangeShippingAddress")
    }).annotateMerge(AllowedRoles.customerOrOperator("Change the shipping address")),
    HttpApiEndpoint.post("confirm", "/orders/:id/confirm", {
      params: order,
      headers,
      success,
      error: commandErrors("ConfirmOrder")
    }).annotateMerge(AllowedRoles.customerOrOperator("Confirm an order")),
    HttpApiEndpoint.post("cancel", "/orders/:id/cancel", {
      params: order,
      headers,
      payload: Request.CancelOrderRequest,
      success,
      error: commandErrors("CancelOrder")
    }).annotateMerge(AllowedRoles.customerOrOperator("Cancel an order of which nothing was shipped"))
  )
  .middleware(CommandBoundary)
  .annotateMerge(
    OpenApi.annotations({ title: "Orders", description: "Place an order, edit it, confirm it, cancel it." })
  ) {}
