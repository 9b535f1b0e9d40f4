/**
 * Generates random commands on one order, with so few ids and lines that repeats and clashes happen all the time. The
 * laws of DeciderLaws and OrderLaws are checked on them.
 */
import { Array, Schema } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import type { Address } from "../order/Text.ts"
import { CallerCancelReason, type Command, CommandName, type OrderCommand } from "../order/OrderCommand.ts"
import type { Items, Line } from "../order/Line.ts"
import { Currency } from "../order/Money.ts"
import {
  CancellationId,
  CaptureId,
  CustomerId,
  LineId,
  OrderId,
  PaymentId,
  ProductId,
  RefundId,
  ReturnId,
  ShipmentId
} from "../order/OrderId.ts"

/** All generated commands are about this order. */
export const orderId = OrderId.make("ord_01997a1c-0000-7000-8000-000000000001")

const digit = Schema.Literals(["1", "2", "3"])

/** Says how often each command comes up: an order that is cancelled at once teaches little. */
const weights: Record<CommandName, number> = {
  PlaceOrder: 1,
  AddLine: 2,
  ChangeLineQuantity: 2,
  RemoveLine: 1,
  ChangeShippingAddress: 1,
  ConfirmOrder: 2,
  ShipItems: 6,
  DeliverShipment: 5,
  ReturnItems: 6,
  CancelItems: 3,
  CancelOrder: 1,
  AuthorizePayment: 5,
  CapturePayment: 6,
  VoidPayment: 1,
  RefundPayment: 5
}

const weighted = CommandName.literals.flatMap((name) => Array.makeBy(weights[name], () => name))

const Seed = Schema.Struct({
  pick: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: weighted.length - 1 })),
  id: digit,
  payment: Schema.Literals(["1", "2"]),
  line: digit,
  quantity: Schema.Literals([1, 2, 3]),
  amount: Schema.Literals([0, 1, 300, 2000]),
  flag: Schema.Boolean,
  both: Schema.Boolean,
  reason: CallerCancelReason
})
type Seed = typeof Seed.Type

const prices: Record<Seed["line"], Pick<Line, "unitPrice" | "unitDiscount" | "taxBps">> = {
  "1": { unitPrice: 1250, unitDiscount: 0, taxBps: 1900 },
  "2": { unitPrice: 333, unitDiscount: 33, taxBps: 700 },
  "3": { unitPrice: 1, unitDiscount: 0, taxBps: 5000 }
}

const line = (digit: Seed["line"], quantity: number): Line => ({
  lineId: LineId.make(`line-${digit}`),
  productId: ProductId.make(`product-${digit}`),
  name: `Product ${digit}`,
  quantity,
  ...prices[digit]
})

const address = (city: string): Address => ({
  name: "Ada Lovelace",
  line1: "12 St James's Square",
  city,
  postalCode: "SW1Y 4LE",
  country: "GB"
})

const items = ({ both, line, quantity }: Seed): Items => {
  const first = { lineId: LineId.make(`line-${line}`), quantity }
  return both && line !== "3" ? [first, { lineId: LineId.make("line-3"), quantity: 1 }] : [first]
}

const place = (seed: Pick<Seed, "both" | "flag" | "quantity">): Command<"PlaceOrder"> => ({
  _tag: "PlaceOrder",
  orderId,
  customerId: CustomerId.make("ada"),
  customer: { name: "Ada Lovelace", email: "ada@example.org" },
  currency: Currency.make("EUR"),
  lines: seed.both ? [line("1", 2), line("2", seed.quantity), line("3", 3)] : [line("1", seed.quantity)],
  shippingAddress: address("London"),
  shippingCost: seed.flag ? 490 : 0,
  confirm: seed.flag,
  request: `${seed.both}/${seed.quantity}/${seed.flag}`
})

/** Places two mugs at 12.50 and 19 % tax, 29.75 in all, without confirming the order. */
export const placeOrder: Command<"PlaceOrder"> = place({ both: false, flag: false, quantity: 2 })

const command = (name: CommandName, seed: Seed): OrderCommand => {
  const { amount, flag, id, quantity } = seed
  const paymentId = PaymentId.make(`payment-${seed.payment}`)
  const lineId = LineId.make(`line-${seed.line}`)
  const maybeAmount = amount === 0 ? {} : { amount }
  switch (name) {
    case "PlaceOrder":
      return place(seed)
    case "AddLine":
      return { _tag: "AddLine", orderId, line: line(seed.line, quantity), currency: Currency.make("EUR") }
    case "ChangeLineQuantity":
      return { _tag: "ChangeLineQuantity", orderId, lineId, quantity }
    case "RemoveLine":
      return { _tag: "RemoveLine", orderId, lineId }
    case "ChangeShippingAddress":
      return { _tag: "ChangeShippingAddress", orderId, address: address(flag ? "London" : "Paris") }
    case "ConfirmOrder":
      return { _tag: "ConfirmOrder", orderId }
    case "ShipItems": {
      const shipment = { shipmentId: ShipmentId.make(`shipment-${id}`), ...(flag ? { carrier: "DHL" } : {}) }
      return { _tag: "ShipItems", orderId, ...shipment, ...(amount === 0 ? {} : { items: items(seed) }) }
    }
    case "DeliverShipment":
      return { _tag: "DeliverShipment", orderId, shipmentId: ShipmentId.make(`shipment-${id}`) }
    case "ReturnItems": {
      const reason = flag ? { reason: "too small" } : {}
      return { _tag: "ReturnItems", orderId, returnId: ReturnId.make(`return-${id}`), items: items(seed), ...reason }
    }
    case "CancelItems": {
      const known = flag ? { cancellationId: CancellationId.make(`cancellation-${id}`) } : {}
      return { _tag: "CancelItems", orderId, items: items(seed), ...known }
    }
    case "CancelOrder":
      return { _tag: "CancelOrder", orderId, reason: seed.reason, ...(flag ? { note: "as agreed" } : {}) }
    case "AuthorizePayment":
      return { _tag: "AuthorizePayment", orderId, paymentId, amount: amount === 0 ? 2975 : amount }
    case "CapturePayment": {
      const known = flag ? { captureId: CaptureId.make(`capture-${id}`) } : {}
      return { _tag: "CapturePayment", orderId, paymentId, ...known, ...maybeAmount }
    }
    case "VoidPayment":
      return { _tag: "VoidPayment", orderId, paymentId }
    case "RefundPayment": {
      const known = flag ? { refundId: RefundId.make(`refund-${id}`) } : {}
      const goodwill = seed.both ? { goodwill: true } : {}
      return { _tag: "RefundPayment", orderId, paymentId, ...known, ...maybeAmount, ...goodwill }
    }
  }
}

const seeds = Arbitrary.schema(Seed)

/** Generates one command of any kind; many are rejected, as in life. */
export const orderCommand: Arbitrary.Arbitrary<OrderCommand> = Arbitrary.map(seeds, (seed) =>
  command(weighted[seed.pick] ?? "ConfirmOrder", seed)
)

/**
 * Generates the life of an order: it is placed first, then up to 80 commands follow. A `size` of 60 makes long lives.
 */
export const orderCommands: Arbitrary.Arbitrary<ReadonlyArray<OrderCommand>> = Arbitrary.map(
  Arbitrary.all([Arbitrary.map(seeds, place), Arbitrary.array(orderCommand, { maxLength: 80 })]),
  ([first, rest]) => [first, ...rest]
)
