/**
 * Defines an order as callers see it over HTTP: the order view, with the paths of what belongs to it and the requests
 * that could change it now. `handlers/OrderLinks` makes them.
 */
import { Context, Schema } from "effect"
import { CommandName } from "../../order/OrderCommand.ts"
import { OrderView } from "../../views/order/OrderView.ts"

/** An endpoint with this annotation sends the command to an order. */
export class SendsCommand extends Context.Service<SendsCommand, CommandName>()(
  "ordinal/http/api/OrderDocument/SendsCommand"
) {}

export const OrderAction = Schema.Struct({
  command: CommandName,
  method: Schema.Literals(["POST", "PUT", "PATCH", "DELETE"]),
  href: Schema.String
}).annotate({ identifier: "OrderAction" })
export type OrderAction = typeof OrderAction.Type

export const OrderActions = Schema.Array(OrderAction)

export const OrderLinks = Schema.Struct({ self: Schema.String, monitor: Schema.String, events: Schema.String })

/** Servers from before there were links and actions send none. */
export const OrderDocument = Schema.Struct({
  ...OrderView.fields,
  links: Schema.optionalKey(OrderLinks),
  actions: Schema.optionalKey(OrderActions)
}).annotate({ identifier: "OrderView" })
export type OrderDocument = typeof OrderDocument.Type
