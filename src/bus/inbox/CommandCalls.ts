/** Calls `Orders` for a command of a topic. The types of commands are the names of the service's methods, as `order.add-line`. */
import { Effect } from "effect"
import { InvalidRequest } from "../../aggregate/InvalidRequest.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Commands.ts"
import type { Orders } from "../../orders/Orders.ts"
import type { Receipt } from "../../orders/Receipt.ts"
import type { CommandEvent } from "./CommandMessage.ts"

type Service = Orders["Service"]

/** `Orders` checks what it is given, as it does for everybody who calls it in process. */
const given = <A>(value: unknown): A => value as A

type Call = (orders: Service, event: CommandEvent, options: CommandOptions) => Effect.Effect<Receipt, unknown>

/** A command without a body takes none, as over HTTP. */
const withoutBody =
  (call: Call): Call =>
  (orders, event, options) => {
    const { data = {} } = event
    const isEmpty = typeof data === "object" && data !== null && Object.keys(data).length === 0
    return isEmpty
      ? call(orders, event, options)
      : Effect.fail(InvalidRequest.of("data", "is not taken here; leave it out"))
  }

const bodyOf = ({ data = {} }: CommandEvent) => data

/** The order may be named by the subject, by the body, or by both alike. */
const place: Call = (orders, event, options) => {
  const { subject } = event
  const body = bodyOf(event)
  if (subject === undefined || typeof body !== "object" || body === null || Array.isArray(body)) {
    return orders.place(given(body), options)
  }
  const { orderId = subject } = body as { readonly orderId?: unknown }
  return orderId === subject
    ? orders.place(given({ ...body, orderId }), options)
    : Effect.fail(InvalidRequest.of("subject", "is another id than data.orderId; leave one of them out"))
}

const calls: Readonly<Record<string, Call>> = {
  "order.place": place,
  "order.add-line": (orders, event, options) => orders.addLine(given(event.subject), given(bodyOf(event)), options),
  "order.change-line-quantity": (orders, event, options) =>
    orders.changeLineQuantity(given(event.subject), given(event.lineid), given(bodyOf(event)), options),
  "order.remove-line": withoutBody((orders, { lineid, subject }, options) =>
    orders.removeLine(given(subject), given(lineid), options)
  ),
  "order.change-shipping-address": (orders, event, options) =>
    orders.changeShippingAddress(given(event.subject), given(bodyOf(event)), options),
  "order.confirm": withoutBody((orders, { subject }, options) => orders.confirm(given(subject), options)),
  "order.cancel": (orders, event, options) => orders.cancel(given(event.subject), given(bodyOf(event)), options),
  "order.cancel-items": (orders, event, options) =>
    orders.cancelItems(given(event.subject), given(bodyOf(event)), options),
  "order.ship": (orders, event, options) => orders.ship(given(event.subject), given(bodyOf(event)), options),
  "order.deliver": withoutBody((orders, { shipmentid, subject }, options) =>
    orders.deliver(given(subject), given(shipmentid), options)
  ),
  "order.return-items": (orders, event, options) =>
    orders.returnItems(given(event.subject), given(bodyOf(event)), options),
  "order.authorize-payment": (orders, event, options) =>
    orders.authorizePayment(given(event.subject), given(bodyOf(event)), options),
  "order.capture-payment": (orders, event, options) =>
    orders.capturePayment(given(event.subject), given(event.paymentid), given(bodyOf(event)), options),
  "order.void-payment": withoutBody((orders, { paymentid, subject }, options) =>
    orders.voidPayment(given(subject), given(paymentid), options)
  ),
  "order.refund-payment": (orders, event, options) =>
    orders.refundPayment(given(event.subject), given(event.paymentid), given(bodyOf(event)), options)
}

/** These are the types of commands. */
export const types = Object.keys(calls)

export const call: Call = (orders, event, options) =>
  Object.hasOwn(calls, event.type)
    ? calls[event.type]!(orders, event, options)
    : Effect.fail(InvalidRequest.of("type", `is no command; take one of ${types.join(", ")}`))
