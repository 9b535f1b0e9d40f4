import { Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { Orders } from "../../orders/Orders.ts"
import type { Receipt } from "../../orders/Receipt.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Submission.ts"
import { Api } from "../api/Api.ts"
import { type CommandHeaders, commandOptions } from "./CommandContext.ts"
import * as Reply from "./Reply.ts"

type Headers = CommandHeaders & { readonly prefer?: string }

/** Runs a command with what its request's headers say, and answers its receipt or, if waited for, the order. */
export const command = <E>(
  orders: Orders["Service"],
  headers: Headers,
  send: (options: CommandOptions) => Effect.Effect<Receipt, E>,
  created?: (receipt: Receipt) => { readonly location: string }
) =>
  Effect.gen(function* () {
    const receipt = yield* send(yield* commandOptions(headers))
    return yield* Reply.ofCommand(orders, receipt, headers.prefer, created?.(receipt))
  })

export const layer = HttpApiBuilder.group(
  Api,
  "orders",
  Effect.fnUntraced(function* (handlers) {
    const orders = yield* Orders
    return handlers.handleAll({
      place: ({ headers, payload }) =>
        command(orders, headers, (options) => orders.place(payload, options), Reply.location),
      addLine: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.addLine(params.id, payload, options)),
      changeLineQuantity: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.changeLineQuantity(params.id, params.lineId, payload, options)),
      removeLine: ({ headers, params }) =>
        command(orders, headers, (options) => orders.removeLine(params.id, params.lineId, options)),
      changeShippingAddress: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.changeShippingAddress(params.id, payload, options)),
      confirm: ({ headers, params }) => command(orders, headers, (options) => orders.confirm(params.id, options)),
      cancel: ({ headers, params, payload }) =>
        command(orders, headers, (options) => orders.cancel(params.id, payload, options))
    })
  })
)
