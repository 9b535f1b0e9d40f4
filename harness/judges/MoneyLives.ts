/**
 * Random lives of random orders under each policy: after every event the money of the order is what `OrderMoney` says,
 * and what may be charged and shipped is what that money allows.
 */
import { Result } from "effect"
import * as OrderAggregate from "../../src/order/OrderAggregate.ts"
import type { OrderCommand } from "../../src/order/OrderCommand.ts"
import type { ShipRequires } from "../../src/order/OrderEvent.ts"
import {
  CancellationId,
  CaptureId,
  LineId,
  PaymentId,
  ProductId,
  RefundId,
  ReturnId,
  ShipmentId
} from "../../src/order/OrderId.ts"
import { defaultPolicies } from "../../src/order/OrderPolicies.ts"
import type { Order, OrderState } from "../../src/order/OrderState.ts"
import * as OrderView from "../../src/views/order/OrderView.ts"
import { orderId, placeOrder } from "../../src/testing/OrderCommands.ts"
import { seeded } from "../fixtures/SeededRandom.ts"
import { type Event, type Money, moneyOf } from "./OrderMoney.ts"

export interface Tally {
  orders: number
  commands: number
  accepted: number
  returns: number
  refunds: number
  /** So many shipments had to wait for money, and so much was refused because it is more than is owed. */
  waited: number
  refusedCharges: number
  readonly faults: Array<string>
}

type Random = () => number

const dice = (random: Random) => {
  const below = (count: number) => Math.floor(random() * count)
  const pick = <A>(from: ReadonlyArray<A>): A => from[below(from.length)]!
  return { below, pick, chance: (share: number) => random() < share }
}

const lineIds = ["a", "b", "c", "d"].map((id) => LineId.make(id))

const cart = (random: Random): OrderCommand => {
  const { below, chance, pick } = dice(random)
  const lines = lineIds.slice(0, 1 + below(lineIds.length)).map((lineId) => {
    const unitPrice = pick([() => below(10), () => below(2_000), () => 1_250, () => 1 + below(10_000_000)])()
    return {
      lineId,
      productId: ProductId.make(`product-${lineId}`),
      name: "P",
      quantity: pick([1, 2, 3, 1 + below(9)]),
      unitPrice,
      unitDiscount: chance(0.3) ? below(unitPrice + 1) : 0,
      taxBps: pick([0, 500, 700, 1_900, 2_500, 5_000, below(10_001)])
    }
  })
  const [first, ...rest] = lines
  const shippingCost = chance(0.3) ? below(1_000) : 0
  return { ...placeOrder, lines: [first!, ...rest], shippingCost, confirm: true }
}

/** Makes a command that has a fair chance in this state. `money` is what the reference says of it. */
const command = (random: Random, order: Order, money: Money): OrderCommand => {
  const { below, chance, pick } = dice(random)
  const id = String(below(1_000_000))
  const paymentId = order.payments.length > 0 ? pick(order.payments).paymentId : PaymentId.make("p0")
  const about = (amount: bigint) => Math.max(1, Number(amount) + (chance(0.5) ? 0 : pick([-1, 1, -below(500), 1_000])))
  const some = (left: (line: Order["lines"][number]) => number) => {
    const found = order.lines.filter((line) => left(line) > 0 && chance(0.7))
    const [first = pick(order.lines), ...rest] = found
    const item = (line: Order["lines"][number]) => ({
      lineId: line.lineId,
      quantity: Math.max(1, chance(0.1) ? left(line) + 1 : 1 + below(left(line)))
    })
    return [item(first), ...rest.map(item)] as const
  }
  const outstanding = (line: Order["lines"][number]) => line.quantity - line.cancelled - line.shipped
  const isOut = (line: Order["lines"][number]) => line.shipped - line.returned
  const amount = (most: number) => (chance(0.4) ? {} : { amount: 1 + below(Math.max(1, most + 2)) })
  return pick<() => OrderCommand>([
    () => ({ _tag: "AuthorizePayment", orderId, paymentId: PaymentId.make(id), amount: about(money.chargeable) }),
    () => ({ _tag: "AuthorizePayment", orderId, paymentId: PaymentId.make(id), amount: about(money.balanceDue) }),
    () => ({ _tag: "CapturePayment", orderId, paymentId, captureId: CaptureId.make(id), ...amount(2_000) }),
    () => ({ _tag: "CapturePayment", orderId, paymentId }),
    () => ({ _tag: "ShipItems", orderId, shipmentId: ShipmentId.make(id), items: some(outstanding) }),
    () => ({ _tag: "ShipItems", orderId, shipmentId: ShipmentId.make(id), items: some(outstanding) }),
    () => ({ _tag: "ReturnItems", orderId, returnId: ReturnId.make(id), items: some(isOut) }),
    () => ({ _tag: "ReturnItems", orderId, returnId: ReturnId.make(id), items: some(isOut) }),
    () => ({
      _tag: "RefundPayment",
      orderId,
      paymentId,
      refundId: RefundId.make(id),
      amount: about(-money.balanceDue)
    }),
    () => ({
      _tag: "RefundPayment",
      orderId,
      paymentId,
      refundId: RefundId.make(id),
      ...amount(500),
      ...(chance(0.5) ? { goodwill: true } : {})
    }),
    () => ({ _tag: "CancelItems", orderId, cancellationId: CancellationId.make(id), items: some(outstanding) }),
    () =>
      chance(0.2)
        ? { _tag: "CancelOrder", orderId, reason: "other" }
        : chance(0.3)
          ? { _tag: "VoidPayment", orderId, paymentId }
          : { _tag: "CapturePayment", orderId, paymentId }
  ])()
}

const json = (value: unknown) =>
  JSON.stringify(value, (_key, value: unknown) => (typeof value === "bigint" ? Number(value) : value))

/** Makes the life of one order, of so many commands at most. */
const live = (random: Random, shipRequires: ShipRequires, most: number, tally: Tally): void => {
  const { codec, decider } = OrderAggregate.make({ ...defaultPolicies, shipRequires })
  const events: Array<Event> = []
  let state: OrderState = decider.initialState
  let money = moneyOf(events)
  const fault = (what: string, found: unknown) => tally.faults.push(`${what}: ${json({ found, money, events })}`)

  const compare = (order: Order) => {
    const { paymentStatus, totals } = OrderView.fromState(order, order.placedAt)
    const { balanceDue, owed, returned, total } = totals
    const same = [
      [total, money.total],
      [returned, money.returned],
      [owed, money.owed],
      [balanceDue, money.balanceDue]
    ] as const
    if (same.some(([found, expected]) => BigInt(found) !== expected)) fault("other totals", totals)
    if ((paymentStatus === "paid") !== money.isPaid) fault("another payment status", paymentStatus)
  }

  const judge = (asked: OrderCommand, rejection: string, missing: number | undefined) => {
    if (asked._tag === "AuthorizePayment" && (rejection === "" || rejection === "AmountExceeded")) {
      if (BigInt(asked.amount) <= money.chargeable !== (rejection === "")) fault("another bound", asked)
      if (rejection !== "") tally.refusedCharges += 1
    }
    if (asked._tag !== "ShipItems" || (rejection !== "" && missing === undefined)) return
    if (BigInt(missing ?? 0) !== money.missing[shipRequires]) fault("another amount is missing", missing)
    if (missing !== undefined) tally.waited += 1
  }

  tally.orders += 1
  for (let count = 0; count < most; count++) {
    const asked = state._tag === "Absent" ? cart(random) : command(random, state, money)
    const decision = decider.decide(asked, state)
    tally.commands += 1
    if (Result.isFailure(decision)) {
      const { failure } = decision
      judge(asked, failure._tag, failure._tag === "PaymentRequiredBeforeShipment" ? failure.missing : undefined)
      continue
    }
    judge(asked, "", undefined)
    tally.accepted += 1
    for (const event of decision.success) {
      if (event._tag === "ItemsReturned") tally.returns += 1
      if (event._tag === "PaymentRefunded") tally.refunds += 1
      const { data, type } = codec.encode(event)
      events.push({ type, data: data as Event["data"] })
      state = decider.evolve(state, event, "2026-11-28T00:00:00.000Z")
      money = moneyOf(events)
      if (state._tag === "Order") compare(state)
    }
  }
}

export const policies: ReadonlyArray<ShipRequires> = ["confirmed", "authorized", "captured"]

/** So many commands under this policy, on orders of up to 40 commands each. */
export const livesUnder = (shipRequires: ShipRequires, commands: number, seed: number): Tally => {
  const tally: Tally = {
    orders: 0,
    commands: 0,
    accepted: 0,
    returns: 0,
    refunds: 0,
    waited: 0,
    refusedCharges: 0,
    faults: []
  }
  const random = seeded(seed)
  while (tally.commands < commands) live(random, shipRequires, 5 + Math.floor(random() * 36), tally)
  return tally
}
