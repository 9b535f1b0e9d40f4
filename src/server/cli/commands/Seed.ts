/**
 * Fills a shop with generated orders, through the same service that serves callers: `ordinal seed`. Its products and customers
 * have names of their own (`seed-…`), so that it changes none of the shop's. Beside a running server on an embedded database it
 * needs `--url`.
 */
import { Console, Effect, Layer, Option, Random } from "effect"
import { Command, Flag } from "effect/cli"
import { HttpClient } from "effect/http"
import * as OrdersClient from "../../../http/client/OrdersClient.ts"
import { Currency } from "../../../order/Money.ts"
import { CustomerId, ProductId } from "../../../order/OrderId.ts"
import type { PlaceOrderRequest } from "../../../order/OrderRequest.ts"
import { Orders } from "../../../orders/Orders.ts"
import * as MonotonicClock from "../../../supervision/MonotonicClock.ts"
import * as App from "../../App.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as RunningServer from "../RunningServer.ts"
import * as SettingFlags from "../SettingFlags.ts"

const currency = Currency.make("EUR")
const products = Array.from({ length: 20 }, (_, index) => ({
  id: ProductId.make(`seed-product-${index + 1}`),
  saved: { name: `Product ${index + 1}`, unitPrice: 250 * (index + 1), currency, taxBps: index % 4 === 0 ? 700 : 1900 }
}))
const customers = Array.from({ length: 50 }, (_, index) => ({
  id: CustomerId.make(`seed-customer-${index + 1}`),
  saved: { name: `Customer ${index + 1}`, email: `customer-${index + 1}@example.org` }
}))

const shippingAddress = { name: "Ada", line1: "1 Mill Lane", city: "London", postalCode: "N1", country: "GB" }

const oneOf = <A>(all: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, all.length - 1), (index) => all[index]!)

const line = Effect.gen(function* () {
  return { productId: (yield* oneOf(products)).id, quantity: yield* Random.nextIntBetween(1, 5) }
})

const request: Effect.Effect<PlaceOrderRequest> = Effect.gen(function* () {
  const others = yield* Effect.replicateEffect(line, yield* Random.nextIntBetween(0, 3))
  return { customerId: (yield* oneOf(customers)).id, currency, lines: [yield* line, ...others], shippingAddress }
})

/** Every tenth order is cancelled. */
const live = Effect.fnUntraced(function* (number: number) {
  const orders = yield* Orders
  const { orderId } = yield* orders.place(yield* request)
  if (number % 10 === 9) yield* orders.cancel(orderId, { reason: "customer_request" })
})

const atOnce = 64

const seed = Effect.fnUntraced(function* (count: number, isJson: boolean) {
  const orders = yield* Orders
  yield* Effect.forEach(products, ({ id, saved }) => orders.saveProduct(id, saved), { concurrency: atOnce })
  yield* Effect.forEach(customers, ({ id, saved }) => orders.saveCustomer(id, saved), { concurrency: atOnce })
  const progress = yield* Progress.make("orders")
  const began = yield* MonotonicClock.millis
  let [done, seconds, reported] = [0, 0, 0]
  const report = Effect.suspend(() => {
    const rate = seconds === 0 ? 0 : done / seconds
    return progress.report({ done, total: count, rate, etaSeconds: rate === 0 ? undefined : (count - done) / rate })
  })
  const placed = Effect.gen(function* () {
    done++
    seconds = ((yield* MonotonicClock.millis) - began) / 1_000
    if (isJson || (seconds - reported < 0.1 && done < count)) return
    reported = seconds
    yield* report
  })
  yield* Effect.forEach(Array.from({ length: count }).keys(), (number) => Effect.andThen(live(number), placed), {
    concurrency: atOnce,
    discard: true
  })
  yield* progress.end
  const rate = seconds === 0 ? count : Math.round(count / seconds)
  yield* isJson
    ? Output.json({ orders: count, seconds, rate })
    : Console.log(`Placed ${count} orders in ${seconds.toFixed(1)} s: ${rate}/s.`)
})

const throughServer = Effect.fnUntraced(function* (given: Parameters<typeof RunningServer.atPublic>[0]) {
  const { base, client } = yield* RunningServer.atPublic(given)
  return OrdersClient.layerNoDeps({ baseUrl: base }).pipe(Layer.provide(Layer.succeed(HttpClient.HttpClient, client)))
})

export const command = Command.make(
  "seed",
  {
    ...SettingFlags.flags,
    orders: Flag.Int("orders").pipe(
      Flag.withMetavar("integer"),
      Flag.withDescription("so many orders are placed"),
      Flag.filter(
        (count) => count > 0,
        () => "it must be at least 1"
      )
    ),
    ...RunningServer.publicFlags,
    json: Output.jsonFlag
  },
  ({ json, orders, token, url, ...given }) => {
    const [failed, work] = ["The orders were not all placed.", seed(orders, json)] as const
    if (Option.isNone(url)) return SettingFlags.command(failed, App.withOrders(work))(given)
    const remotely = Effect.flatMap(throughServer({ token, url }), (layer) => Effect.provide(work, layer))
    return SettingFlags.command(failed, remotely)(given)
  }
).pipe(
  Command.withDescription(
    "Places generated orders: in the database of the settings, or by the server at --url, which an embedded database needs " +
      "while a server runs on it."
  )
)
