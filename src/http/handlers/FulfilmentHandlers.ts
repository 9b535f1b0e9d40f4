import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Orders } from "../../orders/Orders.ts"
import { Api } from "../api/Api.ts"
import { command } from "./OrderHandlers.ts"

export const layer = HttpApiBuilder.group(
  Api,
  "fulfilment",
  Effect.fnUntraced(function* (handlers) {
    const orders = yield* Orders
    return handlers.handleAll({
      cancelItems: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.cancelItems(params.id, payload, options)),
      ship: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.ship(params.id, payload, options)),
      deliver: ({ headers, params }) =>
        command(orders, headers, (options) => orders.deliver(params.id, params.shipmentId, options)),
      returnItems: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.returnItems(params.id, payload, options)),
      authorizePayment: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.authorizePayment(params.id, payload, options)),
      capturePayment: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.capturePayment(params.id, params.paymentId, payload, options)),
      voidPayment: ({ headers, params }) =>
        command(orders, headers, (options) => orders.voidPayment(params.id, params.paymentId, options)),
      refundPayment: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.refundPayment(params.id, params.paymentId, payload, options))
    })
  })
)
