/** Answers the commands on orders: each runs on `Orders` with the options that its request's headers ask for. */
import { Effect, Layer } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import type { CommandOptions } from "../../aggregate/idempotency/Commands.ts"
import * as CheckedOrders from "../../orders/CheckedOrders.ts"
import { Orders } from "../../orders/Orders.ts"
import type { Receipt } from "../../orders/Receipt.ts"
import { Api } from "../api/Api.ts"
import type { CommandHeaders } from "../api/HttpHeaders.ts"
import * as OwnOrders from "../guard/OwnOrders.ts"
import * as Attempt from "./Attempt.ts"
import { Caller } from "./Caller.ts"
import * as Reply from "./Reply.ts"
import { commandOptions } from "./RequestOptions.ts"

/** Gives the service without its checks: the API's definition has decoded the requests already. */
const unchecked = Effect.map(Orders, CheckedOrders.unchecked)

const commandOn =
  (orders: Orders["Service"]) =>
  <E>(
    headers: CommandHeaders,
    send: (orders: OwnOrders.CallersOrders, options: CommandOptions) => Effect.Effect<Receipt, E>,
    creates = false
  ) =>
    Effect.all([commandOptions(headers), Caller]).pipe(
      Effect.flatMap(([options, caller]) => Attempt.outcomeOr(send(OwnOrders.of(orders, caller), options))),
      // The command was accepted for this caller, so the order is theirs.
      Effect.flatMap((receipt) => Reply.ofCommand(orders, receipt, headers.prefer, creates))
    )

const orderCommands = HttpApiBuilder.group(
  Api,
  "orders",
  Effect.fnUntraced(function* (handlers) {
    const orders = yield* unchecked
    const run = commandOn(orders)
    return handlers.handleAll({
      place: ({ headers, payload }) => run(headers, (orders, options) => orders.place(payload, options), true),
      addLine: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.addLine(params.id, payload, options)),
      changeLineQuantity: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.changeLineQuantity(params.id, params.lineId, payload, options)),
      removeLine: ({ headers, params }) =>
        run(headers, (orders, options) => orders.removeLine(params.id, params.lineId, options)),
      changeShippingAddress: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.changeShippingAddress(params.id, payload, options)),
      confirm: ({ headers, params }) => run(headers, (orders, options) => orders.confirm(params.id, options)),
      cancel: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.cancel(params.id, payload, options))
    })
  })
)

const fulfilmentCommands = HttpApiBuilder.group(
  Api,
  "fulfilment",
  Effect.fnUntraced(function* (handlers) {
    const orders = yield* unchecked
    const run = commandOn(orders)
    return handlers.handleAll({
      cancelItems: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.cancelItems(params.id, payload, options)),
      ship: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.ship(params.id, payload, options)),
      deliver: ({ headers, params }) =>
        run(headers, (orders, options) => orders.deliver(params.id, params.shipmentId, options)),
      returnItems: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.returnItems(params.id, payload, options)),
      authorizePayment: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.authorizePayment(params.id, payload, options)),
      capturePayment: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.capturePayment(params.id, params.paymentId, payload, options)),
      voidPayment: ({ headers, params }) =>
        run(headers, (orders, options) => orders.voidPayment(params.id, params.paymentId, options)),
      refundPayment: ({ headers, params, payload }) =>
        run(headers, (orders, options) => orders.refundPayment(params.id, params.paymentId, payload, options))
    })
  })
)

export const layer = Layer.mergeAll(orderCommands, fulfilmentCommands)
