/** Sabotages of the rules of orders, each a slip that a reviewer might miss. */
import type { Sabotage } from "./Sabotage.ts"

type OrderSabotage = Omit<Sabotage, "subject">

const of =
  (file: string) =>
  (name: string, from: string, to: string): OrderSabotage => ({ name, file: `src/order/${file}`, from, to })

const fulfilment = of("rules/Fulfilment.ts")
const paying = of("rules/Paying.ts")
const placing = of("rules/Placing.ts")
const editing = of("rules/Editing.ts")
const cancelling = of("rules/Cancelling.ts")
const evolution = of("OrderEvolution.ts")
const state = of("OrderState.ts")
const event = of("OrderEvent.ts")

export const orderSabotages: ReadonlyArray<OrderSabotage> = [
  fulfilment("one more may be shipped than is there", "quantity > available(line)", "quantity > available(line) + 1"),
  fulfilment(
    "a shipment is not known by its id",
    "order.shipments.find((shipment) => shipment.shipmentId === request.shipmentId)",
    "order.shipments.find((shipment) => shipment.tracking === request.shipmentId)"
  ),
  fulfilment(
    "the tracking number does not tell shipments apart",
    "request.tracking === known.tracking",
    "request.tracking !== known.tracking"
  ),
  fulfilment(
    "a shipment is delivered twice",
    'record({ _tag: "ShipmentDelivered", shipmentId }) : nothing',
    'record({ _tag: "ShipmentDelivered", shipmentId }) : record({ _tag: "ShipmentDelivered", shipmentId })'
  ),
  fulfilment("more may come back than was shipped", "line.shipped - line.returned)", "line.quantity - line.returned)"),
  fulfilment(
    "a return is recorded again each time",
    "order.returns.find((other) => other.returnId === request.returnId)",
    "order.returns.find((other) => other.returnedAt === request.returnId)"
  ),
  fulfilment(
    "delivery depends on the time",
    "shipment.deliveredAt === undefined ?",
    'shipment.deliveredAt === undefined && shipment.shippedAt < "2026-01-09" ?'
  ),
  paying(
    "a refund may be one cent too much",
    "const available = refundable(payment)",
    "const available = refundable(payment) + 1"
  ),
  paying(
    "nothing can be captured",
    'amount > 0 && amount <= available\n    ? record({ _tag: "PaymentCaptured"',
    'amount >= 0 && amount <= available\n    ? record({ _tag: "PaymentCaptured"'
  ),
  paying(
    "a capture is not known by its id",
    "payment.captures.find((capture) => capture.captureId === request.captureId)",
    "payment.captures.find((capture) => capture.captureId !== request.captureId && capture.all && !capture.all)"
  ),
  paying(
    "a voided payment gives up all that was authorized",
    "const amount = voidable(payment)",
    "const amount = voidable(payment) - payment.authorized"
  ),
  placing(
    "an order is confirmed before it is placed",
    'record(placed, { _tag: "OrderConfirmed", total })',
    'record({ _tag: "OrderConfirmed", total }, placed)'
  ),
  placing(
    "an order is placed again",
    "command.request === order.request ? nothing :",
    'command.request === order.request ? placeOrder(command, { autoConfirm: false, shipRequires: "confirmed" }) :'
  ),
  placing("a discount is not looked at", "line.unitDiscount > line.unitPrice", "line.unitDiscount < 0"),
  placing(
    "a confirmed order is confirmed again",
    'case "confirmed":\n    case "partially_shipped":',
    'case "confirmed":\n      return record({ _tag: "OrderConfirmed", total: OrderTotals.total(order) })\n    case "partially_shipped":'
  ),
  editing("the same quantity is stored again", "if (line.quantity === quantity) return nothing\n", ""),
  editing(
    "the same address is stored again",
    "canonicalJson(command.address) === canonicalJson(order.address)",
    "command.address === order.address"
  ),
  editing("the last line may go", "order.lines.length === 1", "order.lines.length === 0"),
  cancelling(
    "a cancelled order is cancelled again",
    'case "cancelled":\n      return nothing',
    'case "cancelled":\n      return record(cancelled(order, command.reason, command.note))'
  ),
  cancelling(
    "a cancellation of items forgets its reason",
    'record({ _tag: "ItemsCancelled", ...request })\n}',
    'record({ _tag: "ItemsCancelled", ...request, reason: "" })\n}'
  ),
  evolution("shipped items are counted twice", "line[counter] + item.quantity", "line[counter] + 2 * item.quantity"),
  evolution("a void is forgotten", "({ ...payment, voided: true })", "payment"),
  evolution(
    "a capture without an id is forgotten",
    "captured: payment.captured + amount",
    "captured: captureId === undefined ? payment.captured : payment.captured + amount"
  ),
  evolution(
    "the version is one too low after a delivery",
    "version: state.version + 1",
    'version: event._tag === "ShipmentDelivered" ? state.version : state.version + 1'
  ),
  evolution("the first version is 0", "version: 1,", "version: 0,"),
  evolution(
    "the carrier of a shipment is forgotten",
    "const { _tag, ...shipped } = event",
    "const { _tag, carrier: _, ...shipped } = event"
  ),
  evolution(
    "a second line is too much",
    '"LineAdded":\n      return',
    '"LineAdded":\n      if (order.lines.length > 1) throw new Error("only two lines")\n      return'
  ),
  evolution(
    "a new line is written into the old state",
    "return { ...order, lines: [...order.lines, newLine(event.line)] }",
    "(order.lines as Array<OrderLine>).push(newLine(event.line))\n      return order"
  ),
  evolution(
    "the quantity that was asked for changes instead",
    "{ ...line, quantity } : line)) }",
    "{ ...line, asked: quantity } : line)) }"
  ),
  evolution("the time is that of the computer", "confirmedAt: recordedAt", "confirmedAt: new Date().toISOString()"),
  state("a snapshot forgets goodwill", "  goodwill: Schema.optionalKey(Amount),\n", ""),
  state("a snapshot forgets deliveries", "  deliveredAt: Schema.optionalKey(Time)\n", ""),
  event(
    "the tracking number is not stored",
    "    carrier: Schema.optionalKey(Text),\n    tracking: Schema.optionalKey(Text)\n",
    "    carrier: Schema.optionalKey(Text)\n"
  ),
  event(
    "the upcaster forgets the items",
    "items: [{ lineId, quantity }] as typeof Items.Encoded",
    "things: [{ lineId, quantity }] as typeof Items.Encoded"
  )
]

/** What no schema says: these are found by the laws of orders, which are written by hand. */
export const ownLawSabotages: ReadonlyArray<OrderSabotage> = [
  editing(
    "a line's id may be used again for another",
    'return repeat(order, "line", line.lineId, isSame)',
    'return repeat(order, "line", line.lineId, isSame || true)'
  ),
  editing(
    "an address may change after the shipment",
    'current !== "placed" && current !== "confirmed"',
    'current === "cancelled"'
  ),
  evolution("a removed line stays", "order.lines.filter((line) => !isRemoved(line))", "order.lines"),
  evolution(
    "cancelled items are counted as shipped",
    'count(order.lines, event.items, "cancelled")',
    'count(order.lines, event.items, "shipped")'
  ),
  fulfilment(
    "what is not confirmed is shipped",
    'const current = status(order)\n  if (current === "placed" || current === "cancelled") return notNow(order, _tag, policies)\n  const items',
    'const current = status(order)\n  if (current === "cancelled") return notNow(order, _tag, policies)\n  const items'
  ),
  paying("twice of what is owed may be authorized", "request.amount <= available", "request.amount <= 2 * available"),
  paying(
    "all that is owed can't be authorized",
    "request.amount <= available\n    ?",
    "request.amount < available\n    ?"
  )
]
