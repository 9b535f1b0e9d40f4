import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Ref } from "effect"
import { FetchHttpClient, HttpClient, type HttpClientRequest } from "effect/http"
import { Orders } from "../src/Orders.ts"
import * as OrdersClient from "../src/OrdersClient.ts"
import { Projections } from "../src/projection/Projections.ts"
import { customers, newOrderId, products, request, served, type Service, stock } from "./http/bothOrders.ts"
import { onPostgres } from "./support/orderServices.ts"

const confirmed = (digits: number) => request(newOrderId(digits), { confirm: true })

/** The service on PostgreSQL, the same from afar, what its operator has, and each request that went over HTTP. */
const make = Effect.gen(function* () {
  const context = yield* onPostgres
  const local = Context.get(context, Orders)
  yield* stock(local)
  const baseUrl = yield* served(local)
  const requests = yield* Ref.make<ReadonlyArray<HttpClientRequest.HttpClientRequest>>([])
  const observed = Layer.effect(
    HttpClient.HttpClient,
    Effect.map(
      HttpClient.HttpClient,
      HttpClient.tapRequest((sent) => Ref.update(requests, (all) => [...all, sent]))
    )
  ).pipe(Layer.provide(FetchHttpClient.layer))
  const remote = Context.get(
    yield* Layer.build(OrdersClient.layerNoDeps({ baseUrl }).pipe(Layer.provide(observed))),
    Orders
  )
  return { services: [local, remote] as const, remote, requests, projections: Context.get(context, Projections) }
})

const each = <E, R>(
  services: ReadonlyArray<Service>,
  test: (orders: Service, index: number) => Effect.Effect<void, E, R>
) => Effect.forEach(services, (orders, index) => test(orders, index + 1), { discard: true })

describe("placing an order and waiting for it", () => {
  it.live("answers the order as the view has it", () =>
    Effect.gen(function* () {
      const { services } = yield* make
      yield* each(services, (orders, number) =>
        Effect.gen(function* () {
          const placed = yield* orders.placeAndWait(confirmed(number), { wait: "10 seconds" })
          const { order, token } = yield* orders.get(placed.orderId)
          assert.deepStrictEqual(placed, { orderId: newOrderId(number), token, replayed: false, order })
          assert.deepStrictEqual([order.status, order.version], ["confirmed", 2])
        })
      )
    }).pipe(Effect.scoped)
  )

  it.live("answers the receipt if the view is not there in time; the order is placed all the same", () =>
    Effect.gen(function* () {
      const { projections, services } = yield* make
      yield* projections.pause("order-view")
      const late: Array<{ readonly orderId: ReturnType<typeof newOrderId>; readonly token: string }> = []
      yield* each(services, (orders, number) =>
        Effect.gen(function* () {
          const { order, orderId, receipt, replayed, token } = yield* orders.placeAndWait(confirmed(number), {
            wait: 0
          })
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
      yield* projections.resume("order-view")
      for (const { orderId, token } of late) {
        yield* each(services, (orders) =>
          Effect.gen(function* () {
            const { order } = yield* orders.get(orderId, { token, wait: "10 seconds" })
            assert.strictEqual(order.version, 2)
          })
        )
      }
    }).pipe(Effect.scoped)
  )

  it.live("places it once under one key, and says which answer is a repeat", () =>
    Effect.gen(function* () {
      const { projections, services } = yield* make
      yield* each(services, (orders, number) =>
        Effect.gen(function* () {
          const again = (wait: "10 seconds" | 0) =>
            orders.placeAndWait(confirmed(number), { idempotencyKey: "k", actor: `${number}`, wait })
          const first = yield* again("10 seconds")
          const second = yield* again("10 seconds")
          assert.deepStrictEqual(second, { ...first, replayed: true })
          assert.isDefined(second.order)
          const { counts } = yield* orders.counts({ customerId: customers.ada }, { token: second.token })
          assert.strictEqual(counts.confirmed, number)
          assert.lengthOf(yield* orders.history(first.orderId), 2)
        })
      )
      yield* projections.pause("order-view")
      yield* each(services, (orders, number) =>
        Effect.gen(function* () {
          const place = orders.placeAndWait(confirmed(number + 2), { idempotencyKey: `late ${number}`, wait: 0 })
          const first = yield* place
          const second = yield* place
          assert.isDefined(first.receipt)
          assert.deepEqual(second, { ...first, replayed: true, receipt: { ...first.receipt!, replayed: true } })
        })
      )
    }).pipe(Effect.scoped)
  )

  it.live("takes one request from afar, which names the time in whole seconds", () =>
    Effect.gen(function* () {
      const { remote, requests } = yield* make
      yield* remote.placeAndWait(confirmed(1))
      yield* remote.placeAndWait(confirmed(2), { wait: "1500 millis" })
      yield* remote.placeAndWait(confirmed(3), { wait: "10 minutes" })
      const sent = yield* Ref.get(requests)
      assert.deepStrictEqual(
        sent.map(({ headers, method }) => [method, headers["prefer"]]),
        ["wait=2", "wait=2", "wait=30"].map((prefer) => ["POST", prefer])
      )
    }).pipe(Effect.scoped)
  )

  it.live("is refused as placing alone is", () =>
    Effect.gen(function* () {
      const { services } = yield* make
      yield* each(services, (orders, number) =>
        Effect.gen(function* () {
          const unknown = { ...confirmed(number), lines: [{ productId: products.none, quantity: 1 }] as const }
          const refused = yield* Effect.flip(orders.placeAndWait(unknown))
          assert.strictEqual(refused._tag, "UnknownProduct")
        })
      )
    }).pipe(Effect.scoped)
  )
})
