import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Context, Effect, Layer, Ref } from "effect"
import { FetchHttpClient, HttpClient, type HttpClientRequest } from "effect/http"
import type { OrderId } from "../../../src/order/OrderId.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersClient from "../../../src/http/client/OrdersClient.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import {
  customers,
  newOrderId,
  products,
  request,
  served,
  type Service,
  stock
} from "../../../harness/orders/BothOrders.ts"
import { onPostgres } from "../../../harness/orders/OrderServices.ts"

/** The service on PostgreSQL, the same from afar, what its operator has, and each request that went over HTTP. */
class Shop extends Context.Service<
  Shop,
  {
    readonly local: Service
    readonly remote: Service
    readonly projections: Projections["Service"]
    readonly requests: Ref.Ref<ReadonlyArray<HttpClientRequest.HttpClientRequest>>
  }
>()("test/Shop") {}

const shop = Layer.effect(
  Shop,
  Effect.gen(function* () {
    const context = yield* onPostgres
    const local = Context.get(context, Orders)
    yield* stock(local)
    const requests = yield* Ref.make<ReadonlyArray<HttpClientRequest.HttpClientRequest>>([])
    const observed = Effect.map(
      HttpClient.HttpClient,
      HttpClient.tapRequest((sent) => Ref.update(requests, (all) => [...all, sent]))
    )
    const client = OrdersClient.layerNoDeps({ baseUrl: yield* served(local) }).pipe(
      Layer.provide(Layer.effect(HttpClient.HttpClient, observed)),
      Layer.provide(FetchHttpClient.layer)
    )
    const remote = Context.get(yield* Layer.build(client), Orders)
    return { local, remote, requests, projections: Context.get(context, Projections) }
  })
)

/** The same with both services. */
const withBoth = <E, R>(test: (orders: Service, shop: Shop["Service"]) => Effect.Effect<unknown, E, R>) =>
  Effect.flatMap(Shop, (shop) =>
    Effect.forEach([shop.local, shop.remote], (orders) => test(orders, shop), { discard: true })
  )

let lastId = 0
const newOrder = () => request(newOrderId(++lastId), { confirm: true })

/** While it goes on, nothing gets into the view. */
const whilePaused = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Shop, ({ projections }) =>
    Effect.acquireUseRelease(
      projections.pause("order-view"),
      () => effect,
      () => Effect.orDie(projections.resume("order-view"))
    )
  )

describe("placing an order and waiting for it", () => {
  withLayer(shop, { excludeTestServices: true })((it) => {
    it.effect("answers the order as the view has it", () =>
      withBoth((orders) =>
        Effect.gen(function* () {
          const placed = yield* orders.placeAndWait(newOrder(), { wait: "20 seconds" })
          const { order } = yield* orders.get(placed.orderId, { token: placed.token })
          const { orderId } = order
          assert.deepStrictEqual(placed, { orderId, token: placed.token, replayed: false, order })
          assert.deepStrictEqual([order.status, order.version], ["confirmed", 2])
        })
      )
    )

    it.effect("answers the receipt if the view is not there in time; the order is placed all the same", () =>
      Effect.gen(function* () {
        const late: Array<{ readonly orderId: OrderId; readonly token: string }> = []
        const place = withBoth((orders) =>
          Effect.gen(function* () {
            const { order, orderId, receipt, replayed, token } = yield* orders.placeAndWait(newOrder(), { wait: 0 })
            assert.isUndefined(order)
            const [placed, last] = yield* orders.history(orderId)
            assert.deepStrictEqual(receipt, {
              orderId,
              version: 2,
              position: last!.position,
              commandId: placed!.causationId,
              status: "confirmed",
              paymentStatus: "unpaid",
              events: ["order.placed.v1", "order.confirmed.v1"],
              token,
              replayed
            })
            late.push({ orderId, token })
          })
        )
        yield* whilePaused(place)
        yield* withBoth((orders) =>
          Effect.forEach(late, ({ orderId, token }) =>
            Effect.map(orders.get(orderId, { token, wait: "20 seconds" }), ({ order }) =>
              assert.strictEqual(order.version, 2)
            )
          )
        )
      })
    )

    it.effect("places it once under one key, and says which answer is a repeat", () =>
      Effect.gen(function* () {
        yield* withBoth((orders) =>
          Effect.gen(function* () {
            const order = newOrder()
            const placing = orders.placeAndWait(order, { idempotencyKey: `${order.orderId}`, wait: "20 seconds" })
            const before = yield* orders.counts({ customerId: customers.ada })
            const first = yield* placing
            const second = yield* placing
            assert.isDefined(first.order)
            assert.deepEqual({ ...second, token: first.token }, { ...first, replayed: true })
            const after = yield* orders.counts({ customerId: customers.ada }, { token: second.token })
            assert.strictEqual(after.counts.confirmed, before.counts.confirmed + 1)
          })
        )
        const repeat = withBoth((orders) =>
          Effect.gen(function* () {
            const order = newOrder()
            const placing = orders.placeAndWait(order, { idempotencyKey: `${order.orderId}`, wait: 0 })
            const { receipt } = yield* placing
            assert.isDefined(receipt)
            assert.deepEqual((yield* placing).receipt, { ...receipt!, replayed: true })
          })
        )
        yield* whilePaused(repeat)
      })
    )

    it.effect("takes one request from afar, which names the time in whole seconds", () =>
      Effect.gen(function* () {
        const { remote, requests } = yield* Shop
        yield* Ref.set(requests, [])
        yield* remote.placeAndWait(newOrder())
        yield* remote.placeAndWait(newOrder(), { wait: "1500 millis" })
        yield* remote.placeAndWait(newOrder(), { wait: "10 minutes" })
        assert.deepStrictEqual(
          (yield* Ref.get(requests)).map(({ headers, method }) => [method, headers["prefer"]]),
          ["wait=2", "wait=2", "wait=30"].map((prefer) => ["POST", prefer])
        )
      })
    )

    it.effect("is refused as placing alone is", () =>
      withBoth((orders) =>
        Effect.gen(function* () {
          const unknown = { ...newOrder(), lines: [{ productId: products.none, quantity: 1 }] as const }
          const refused = yield* Effect.flip(orders.placeAndWait(unknown))
          assert.strictEqual(refused._tag, "UnknownProduct")
        })
      )
    )
  })
})
