/**
 * Random orders, and what they must cost: computed here once more, from nothing but the rules on paper, by another
 * route than `OrderTotals` takes. Nothing of `src/order/OrderTotals.ts` is used.
 */
import { address } from "../fixtures/Shop.ts"
import { Result } from "effect"
import { priceOrder } from "../../src/catalog/PricedCommand.ts"
import { Currency } from "../../src/order/Money.ts"
import type { OrderCommand } from "../../src/order/OrderCommand.ts"
import { OrderDecider } from "../../src/order/OrderDecider.ts"
import { CustomerId, LineId, OrderId, PaymentId, ProductId } from "../../src/order/OrderId.ts"
import type { OrderState } from "../../src/order/OrderState.ts"
import * as OrderView from "../../src/views/order/OrderView.ts"
import { seeded } from "../fixtures/SeededRandom.ts"

const most = 2n ** 53n - 1n
const orderId = OrderId.make("ord_01997a1c-0000-7000-8000-000000000001")
const customerId = CustomerId.make("ada")
const paymentId = PaymentId.make("payment")
const at = "2026-11-22T00:00:00.000Z"

interface Ordered {
  readonly quantity: number
  readonly unitPrice: number
  readonly unitDiscount: number
  readonly taxBps: number
}

/** Rounds to the nearest whole number, by looking at both neighbours; of two that are equally near, to the even one. */
const nearest = (dividend: bigint, divisor: bigint): bigint => {
  const below = (dividend - (dividend % divisor)) / divisor
  const above = below + 1n
  const [toBelow, toAbove] = [dividend - below * divisor, above * divisor - dividend]
  if (toBelow !== toAbove) return toBelow < toAbove ? below : above
  return below % 2n === 0n ? below : above
}

const isTie = (dividend: bigint, divisor: bigint) => (dividend % divisor) * 2n === divisor

const sums = (lines: ReadonlyArray<Ordered>, shipping: number) => {
  let [subtotal, discount, tax, ties] = [0n, 0n, 0n, 0]
  for (const line of lines) {
    const quantity = BigInt(line.quantity)
    const gross = quantity * BigInt(line.unitPrice)
    const off = quantity * BigInt(line.unitDiscount)
    const exact = (gross - off) * BigInt(line.taxBps)
    subtotal += gross
    discount += off
    tax += nearest(exact, 10_000n)
    if (isTie(exact, 10_000n)) ties += 1
  }
  const total = subtotal - discount + tax + BigInt(shipping)
  return { subtotal, discount, tax, total, ties, isExact: subtotal <= most && tax <= most && total <= most }
}

const choose = (random: () => number) => {
  const below = (count: number) => Math.floor(random() * count)
  const pick = <A>(from: ReadonlyArray<A>): A => from[below(from.length)]!
  const amount = () =>
    pick([
      () => below(10),
      () => below(100_000),
      () => below(Number.MAX_SAFE_INTEGER),
      () => Number.MAX_SAFE_INTEGER - below(3),
      () => Math.floor(Number.MAX_SAFE_INTEGER / (1 + below(99_999)))
    ])()
  /** So many small prices and taxes leave half a unit. */
  const tie = (): Ordered => ({
    quantity: 1 + below(3),
    unitPrice: 1 + below(200),
    unitDiscount: 0,
    taxBps: pick([2_500, 5_000, 500, 1_250])
  })
  const any = (): Ordered => {
    const unitPrice = amount()
    return {
      quantity: pick([1, 2, 1 + below(99_999), 99_999]),
      unitPrice,
      unitDiscount: pick([0, Math.min(unitPrice, below(1_000)), unitPrice, Math.floor(random() * unitPrice)]),
      taxBps: pick([0, 1, 700, 1_900, 9_999, 10_000, below(10_001)])
    }
  }
  const small = (): Ordered => ({
    ...any(),
    quantity: 1 + below(20),
    unitPrice: 5_000 + below(9_000),
    unitDiscount: below(5_000)
  })
  const kind = pick([tie, small, any])
  const lines = Array.from({ length: pick([1, 2, 1 + below(20)]) }, () => (random() < 0.2 ? any() : kind()))
  return { lines, shipping: pick([0, 490, below(100_000), amount()]), below }
}

const run = (state: OrderState, command: OrderCommand) =>
  Result.map(OrderDecider.decide(command, state), (events) =>
    events.reduce((state, event) => OrderDecider.evolve(state, event, at), state)
  )

export interface Tally {
  orders: number
  refused: number
  ties: number
  /** So many accepted orders cost more than 2^52. */
  huge: number
  greatest: bigint
  readonly faults: Array<string>
}

/** One order from its request to its view; also after some of it was cancelled and paid. */
const check = (random: () => number, tally: Tally) => {
  const { below, lines, shipping } = choose(random)
  const expected = sums(lines, shipping)
  const fault = (what: string, found: unknown) =>
    tally.faults.push(
      `${what}: ${JSON.stringify({ lines, shipping, found }, (_key, value: unknown) => (typeof value === "bigint" ? String(value) : value))}`
    )
  const currency = Currency.make("EUR")
  const ids = lines.map((_, index) => ({ productId: ProductId.make(`p${index}`), lineId: LineId.make(`l${index}`) }))
  const [first, ...rest] = lines.map(({ quantity, unitDiscount }, index) => ({
    ...ids[index]!,
    quantity,
    unitDiscount
  }))
  const products = new Map(
    lines.map(({ taxBps, unitPrice }, index) => [ids[index]!.productId, { name: "P", unitPrice, taxBps, currency }])
  )
  const request = {
    customerId,
    currency,
    lines: [first!, ...rest] as const,
    shippingAddress: address,
    shippingCost: shipping
  }
  const quote = { customer: { name: "Ada", email: "a@b" }, products, shippingCost: 0 }
  const command = Result.getOrThrow(
    priceOrder(request, quote, { orderId, lineId: () => LineId.make("unused"), request: "r" })
  )
  const placed = run(OrderDecider.initialState, { ...command, confirm: true })
  tally.orders += 1
  if (Result.isFailure(placed)) {
    tally.refused += 1
    if (expected.isExact || placed.failure._tag !== "InvalidOrder") fault("refused", placed.failure)
    return
  }
  if (!expected.isExact) return void fault("accepted", expected)
  tally.ties += expected.ties
  if (expected.total > tally.greatest) tally.greatest = expected.total
  if (expected.total > 2n ** 52n) tally.huge += 1

  const compare = (state: OrderState, left: ReadonlyArray<Ordered>, paid: number) => {
    if (state._tag === "Absent") return void fault("absent", state)
    const { lines: viewed, totals } = OrderView.fromState(state, at)
    const due = state.cancellation === undefined ? sums(left, shipping).total : 0n
    const { discount, subtotal, tax, total } = sums(left, shipping)
    const pairs: ReadonlyArray<readonly [number, bigint]> = [
      [totals.subtotal, subtotal],
      [totals.discount, discount],
      [totals.tax, tax],
      [totals.shipping, BigInt(shipping)],
      [totals.total, total],
      [totals.balanceDue, due - BigInt(paid)],
      [viewed.reduce((sum, line) => sum + line.net, 0), subtotal - discount],
      [viewed.reduce((sum, line) => sum + line.tax, 0), tax]
    ]
    if (pairs.some(([found, expected]) => BigInt(found) !== expected || !Number.isSafeInteger(found)))
      fault("totals", totals)
  }
  compare(placed.success, lines, 0)

  const line = below(lines.length)
  const some = 1 + below(lines[line]!.quantity)
  const items = [{ lineId: ids[line]!.lineId, quantity: some }] as const
  const less = run(placed.success, { _tag: "CancelItems", orderId, items })
  if (Result.isFailure(less)) return void fault("not cancelled", less.failure)
  const left = lines.with(line, { ...lines[line]!, quantity: lines[line]!.quantity - some })
  compare(less.success, left, 0)
  const { total } = sums(left, shipping)
  if (total === 0n || left.every(({ quantity }) => quantity === 0)) return
  const amount = Number(total) - below(Math.min(1_000, Number(total)))
  const authorized = run(less.success, { _tag: "AuthorizePayment", orderId, paymentId, amount })
  const captured = Result.flatMap(authorized, (state) => run(state, { _tag: "CapturePayment", orderId, paymentId }))
  if (Result.isFailure(captured)) return void fault("not paid", captured.failure)
  compare(captured.success, left, amount)
  const tooMuch = run(captured.success, {
    _tag: "AuthorizePayment",
    orderId,
    paymentId: PaymentId.make("more"),
    amount: Number(total) - amount + 1
  })
  if (Result.isSuccess(tooMuch)) fault("overpaid", amount)
}

export const sumsOfMany = (orders: number, seed: number): Tally => {
  const tally: Tally = { orders: 0, refused: 0, ties: 0, huge: 0, greatest: 0n, faults: [] }
  const random = seeded(seed)
  while (tally.orders < orders) check(random, tally)
  return tally
}
