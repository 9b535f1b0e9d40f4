/**
 * What callers want done, and what they were told. A wish is one thing that a caller wants to happen once; each has a
 * correlation id of its own, so that the log says afterwards how often it happened.
 *
 * A keyed wish is asked for again with its key until it is granted. One without a key is asked for once.
 */
import { address } from "../fixtures/Shop.ts"
import { Cause, Effect, Exit, Option } from "effect"
import { SecureRandom } from "effect/crypto"
import { demoCustomers, demoProducts } from "../../src/orders/DemoCatalog.ts"
import { Currency } from "../../src/order/Money.ts"
import { LineId, OrderId } from "../../src/order/OrderId.ts"
import type { PlaceOrderRequest } from "../../src/order/OrderRequest.ts"
import type { Orders } from "../../src/orders/Orders.ts"
import type { Receipt } from "../../src/orders/Receipt.ts"
import type { CommandOptions } from "../../src/aggregate/idempotency/Commands.ts"
import { now } from "../clocks/RunningTime.ts"

export interface Wish {
  readonly id: string
  readonly what: string
  readonly keyed: boolean
  /** The wish stores so many events, once. */
  readonly events: number
  readonly ask: (options: CommandOptions) => Effect.Effect<Receipt, { readonly _tag: string }>
}

export interface Told {
  readonly wish: Wish
  readonly receipts: ReadonlyArray<Receipt>
  /** These are the tags of the errors, in order; "Defect" for what is none of them. */
  readonly errors: ReadonlyArray<string>
  readonly retryAfter: ReadonlyArray<number>
  /** This is the longest that one answer took, in milliseconds. */
  readonly longest: number
}

const line = LineId.make("all")

export const request = (quantity: number, orderId?: OrderId): PlaceOrderRequest => ({
  ...(orderId === undefined ? {} : { orderId }),
  customerId: demoCustomers[0]!.customerId,
  currency: Currency.make("EUR"),
  lines: [{ productId: demoProducts[0]!.productId, quantity, lineId: line }],
  shippingAddress: address
})

export const newOrderId = () => OrderId.make(`ord_${SecureRandom.uuidV7Unsafe()}`)

const wish = (what: string, keyed: boolean, events: number, ask: Wish["ask"]): Wish => ({
  id: SecureRandom.uuidV7Unsafe(),
  what,
  keyed,
  events,
  ask
})

export const place = (orders: Orders["Service"], keyed: boolean) =>
  wish("place", keyed, 2, (options) => orders.place(request(2), options))

/** One unit, under an id that the service makes: done twice it would be two shipments. */
export const ship = (orders: Orders["Service"], orderId: OrderId, keyed: boolean) =>
  wish("ship", keyed, 1, (options) => orders.ship(orderId, { items: [{ lineId: line, quantity: 1 }] }, options))

/** There is nothing to do for it, and that is remembered too. */
export const confirm = (orders: Orders["Service"], orderId: OrderId) =>
  wish("confirm", true, 0, (options) => orders.confirm(orderId, options))

const later = new Set([
  "Overloaded",
  "DatabaseUnavailable",
  "OutcomeUnknown",
  "CommandInProgress",
  "ConcurrencyConflict"
])

/** May the same be asked for again later? */
export const isForLater = (tag: string): boolean => later.has(tag)

/** Asks, and again while the answer is "later" and the wish has a key; at most so often. */
export const ask = Effect.fnUntraced(function* (wish: Wish, attempts = 1_000) {
  const receipts: Array<Receipt> = []
  const errors: Array<string> = []
  const retryAfter: Array<number> = []
  let longest = 0
  const options = { correlationId: wish.id, ...(wish.keyed ? { idempotencyKey: wish.id } : {}) }
  for (let attempt = 0; attempt < attempts; attempt++) {
    const start = now()
    const exit = yield* Effect.exit(wish.ask(options))
    longest = Math.max(longest, now() - start)
    if (Exit.isSuccess(exit)) {
      receipts.push(exit.value)
      break
    }
    const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
    const tag = error?._tag ?? `Defect ${Cause.pretty(exit.cause)}`
    errors.push(tag)
    if (error !== undefined && isForLater(tag) && tag !== "ConcurrencyConflict") {
      retryAfter.push("retryAfter" in error ? Number(error.retryAfter) : Number.NaN)
    }
    if (!wish.keyed || !isForLater(tag)) break
    yield* Effect.sleep(20)
  }
  return { wish, receipts, errors, retryAfter, longest } satisfies Told
})

/** Asks once more for what was granted: a keyed wish must get the same answer. */
export const askAgain = (told: Told) =>
  Effect.map(ask(told.wish), (again): Told => ({
    ...again,
    receipts: [...told.receipts, ...again.receipts],
    errors: told.errors
  }))
