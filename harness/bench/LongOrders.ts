/** Orders with as long a history as there can be, and processes that have none of it in memory. */
import { Context, Effect, Layer, Redacted } from "effect"
import { demoCustomers, demoProducts } from "../../src/orders/DemoCatalog.ts"
import { Database } from "../../src/database/Database.ts"
import * as Migrations from "../../src/database/Migrations.ts"
import { LogTail } from "../../src/eventstore/tail/LogTail.ts"
import * as SqlEventStore from "../../src/eventstore/SqlEventStore.ts"
import { Aggregates } from "../../src/aggregate/Aggregates.ts"
import * as SqlSnapshots from "../../src/aggregate/SqlSnapshots.ts"
import { Currency } from "../../src/order/Money.ts"
import { OrderAggregate } from "../../src/order/OrderAggregate.ts"
import type { OrderCommand } from "../../src/order/OrderCommand.ts"
import { LineId, OrderId, PaymentId } from "../../src/order/OrderId.ts"
import { SecureRandom } from "effect/crypto"

const lineId = LineId.make("line_1")

export const newOrderId = () => OrderId.make(`ord_${SecureRandom.uuidV7Unsafe()}`)

export const place = (orderId: OrderId): OrderCommand => {
  const { customerId, email, name } = demoCustomers[0]!
  const { productId, taxBps, unitPrice, ...product } = demoProducts[0]!
  return {
    _tag: "PlaceOrder",
    orderId,
    customerId,
    customer: { name, email },
    currency: Currency.make("EUR"),
    lines: [{ lineId, productId, name: product.name, quantity: 99_999, unitPrice, unitDiscount: 0, taxBps }],
    shippingAddress: { name, line1: "1 Mill Lane", city: "London", postalCode: "N1", country: "GB" },
    shippingCost: 0,
    confirm: false,
    request: "r"
  }
}

/** The command that makes event number `version`, from 2 on. */
export const lives: Readonly<Record<string, (orderId: OrderId, version: number) => OrderCommand>> = {
  /** The same line again and again: a long history of a small state. */
  edits: (orderId, version) => ({ _tag: "ChangeLineQuantity", orderId, lineId, quantity: 1 + (version % 90_000) }),
  /** One more payment each time: the state grows with the history. */
  payments: (orderId, version) => ({
    _tag: "AuthorizePayment",
    orderId,
    paymentId: PaymentId.make(`payment_${version}`),
    amount: 1
  })
}

/** The same orders, but nobody looks for a snapshot or leaves one. */
const { snapshots: _, ...withoutSnapshots } = OrderAggregate
export const aggregates = { snapshot: OrderAggregate, replay: withoutSnapshots }

/** The log and the snapshots: what outlives a process. */
export const database = (url: string) =>
  SqlSnapshots.layer.pipe(
    Layer.provideMerge(SqlEventStore.layer),
    Layer.provideMerge(Migrations.layer),
    Layer.provideMerge(Database.layer({ url: Redacted.make(url) }))
  )

/** A registry with nothing in memory, on connections that are open. */
export const inNewProcess = <A, E>(run: (aggregates: Aggregates["Service"]) => Effect.Effect<A, E>) =>
  Layer.build(Layer.fresh(Aggregates.layer).pipe(Layer.provide(Layer.fresh(LogTail.layer)))).pipe(
    Effect.flatMap((context) => run(Context.get(context, Aggregates))),
    Effect.scoped
  )

/** An order with so many events, all of them by commands, and its last snapshot in place. */
export const grow = Effect.fnUntraced(function* (life: string, events: number) {
  const orderId = newOrderId()
  const next = lives[life]!
  const { reads: sql } = yield* Database
  yield* inNewProcess((registry) =>
    Effect.gen(function* () {
      yield* registry.send(OrderAggregate, orderId, place(orderId))
      const versions = Array.from({ length: events - 1 }, (_, index) => index + 2)
      yield* Effect.forEach(versions, (version) => registry.send(OrderAggregate, orderId, next(orderId, version)), {
        concurrency: 200,
        discard: true
      })
      const saved = sql`SELECT version FROM ordinal.snapshots
        WHERE stream_id = ${`order-${orderId}`} AND version > ${events - 400}`
      yield* saved.pipe(Effect.repeat({ until: (rows) => rows.length > 0 }))
    })
  )
  const [size] = yield* sql<{ readonly bytes: number; readonly version: number }>`
    SELECT octet_length(state::text) AS bytes, version FROM ordinal.snapshots WHERE stream_id = ${`order-${orderId}`}`
  return { life, orderId, snapshot: size! }
})
