/** An order that is in the log is never missing and never older than it was, however far behind the order view is. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted } from "effect"
import * as MemoryOrderCache from "../../../src/cache/MemoryOrderCache.ts"
import { OrderCache } from "../../../src/cache/OrderCache.ts"
import { Database } from "../../../src/database/Database.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import type { Projection } from "../../../src/projection/Projection.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { poisoned } from "../../../harness/faults/PoisonedView.ts"
import { value, withOwnMetrics } from "../../../harness/fixtures/OwnMetrics.ts"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { newOrderId, products, request, stock } from "../../../harness/orders/BothOrders.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

const orderId = newOrderId(1)

/** The order service on a database of its own, where only these projections run. */
const withViews = (...projections: ReadonlyArray<Projection>) =>
  Layer.unwrap(
    Effect.map(freshDatabase, (url) =>
      OrdersLayers.layerNoDeps.pipe(
        Layer.provideMerge(
          EventSourcing.layer(Database.layer({ ...patientConnections, url: Redacted.make(url) }), { projections })
        )
      )
    )
  )

const silent = Logger.layer([])

describe("the Location of an order that was accepted", () => {
  let server: TestServer
  beforeAll(async () => {
    const orders = Layer.unwrap(Effect.map(freshDatabase, (url) => OrdersLayers.layerPostgres(url, patientConnections)))
    server = await withCatalog(await start({ orders }))
  })
  afterAll(() => server.stop())

  it("answers the order at once, 200 times out of 200", async () => {
    const statuses = new Map<number, number>()
    for (let count = 0; count < 200; count++) {
      const placed = await server.send("POST", "/orders", placement())
      assert.strictEqual(placed.status, 202)
      const { body, headers, status } = await server.get(placed.headers.get("location") ?? "")
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      assert.strictEqual(body.version, placed.body.version, "the order is as new as its receipt")
      const position = Number(headers.get("consistency-token")?.split(".")[0])
      assert.isAtLeast(position, placed.body.position, "the token is of the order's last event, or a later one")
    }
    assert.deepStrictEqual([...statuses], [[200, 200]])
  })

  it("answers 404 only for an order that was never placed", async () => {
    const missing = await server.get(`/orders/${newOrderId(9)}`)
    assert.deepStrictEqual([missing.status, missing.body.type], [404, "/problems/order-not-found"])
  })
})

describe("an order that the view does not have", () => {
  it.live("is read from the log, while `freshness` tells that the view stands still", () =>
    Effect.gen(function* () {
      const orders = yield* Orders
      yield* stock(orders)
      const placed = yield* orders.place(request(orderId))
      for (const [version, command] of [
        [1, Effect.void],
        [2, orders.confirm(orderId)]
      ] as const) {
        yield* command
        const { freshness, order, token } = yield* orders.get(orderId)
        assert.deepStrictEqual([order.version, freshness.position], [version, 0n])
        assert.isAbove(freshness.behind, 0)
        assert.strictEqual(token.split(".")[0], String(placed.position + BigInt(version - 1)))
      }
      assert.strictEqual((yield* Effect.flip(orders.get(newOrderId(2))))._tag, "OrderNotFound")
    }).pipe(Effect.provide(withViews()))
  )

  it.live("is answered as parked if the log's events can't be folded, and not as missing", () =>
    Effect.gen(function* () {
      const orders = yield* Orders
      const log = yield* EventStore
      const commandId = crypto.randomUUID()
      const events = [{ eventId: crypto.randomUUID(), type: "OrderTeleported", schemaVersion: 1, data: {} }]
      const metadata = { commandId, correlationId: commandId, causationId: commandId }
      const streamId = StreamId.make("order", orderId)
      yield* log.append([{ streamId, expected: 0, commandId, events, metadata }], Infinity)
      for (const read of [Effect.flip(orders.get(orderId)), Effect.flip(orders.at(orderId, 1))]) {
        assert.containSubset(yield* read, { _tag: "ProjectionBehind", parked: true, current: 0n })
      }
    }).pipe(Effect.provide(Layer.merge(withViews(), silent)))
  )

  const { projection } = poisoned(({ streamId, version }) => StreamId.id(streamId) === orderId && version === 2)

  it.live("is never answered older than before, even where the view gets stuck at an older version", () =>
    Effect.gen(function* () {
      const orders = yield* Orders
      const projections = yield* Projections
      yield* projections.pause(projection.name)
      yield* stock(orders)
      yield* orders.place(request(orderId))
      const { version } = yield* orders.addLine(orderId, { productId: products.mug, quantity: 1 })
      assert.strictEqual((yield* orders.get(orderId)).order.version, version)
      yield* projections.resume(projection.name)
      const listed = yield* orders
        .list()
        .pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ freshness }) => freshness.parked === 1 }))
      assert.deepStrictEqual(
        listed.orders.map(({ version }) => version),
        [1]
      )
      assert.strictEqual((yield* orders.get(orderId)).order.version, version)
    }).pipe(Effect.provide(Layer.merge(withViews(projection), silent)))
  )

  const { projection: again } = poisoned(({ streamId, version }) => StreamId.id(streamId) === orderId && version === 2)
  const cached = withViews(again).pipe(Layer.provide(Layer.sync(OrderCache, () => MemoryOrderCache.make())))

  it.live("nor where another order was answered from the cache in between", () =>
    Effect.gen(function* () {
      const orders = yield* Orders
      const projections = yield* Projections
      const other = newOrderId(2)
      const hit = Effect.gen(function* () {
        const hits = value(`orders_cache_reads_total{outcome="hit"}`)
        const before = (yield* hits) ?? 0
        yield* Effect.repeat(Effect.andThen(orders.get(other), Effect.delay(hits, 5)), {
          until: (now = 0) => now > before
        })
      })
      yield* stock(orders)
      yield* orders.place(request(other))
      yield* hit
      yield* projections.pause(again.name)
      yield* orders.place(request(orderId))
      const { version } = yield* orders.addLine(orderId, { productId: products.mug, quantity: 1 })
      assert.strictEqual((yield* orders.get(orderId)).order.version, version)
      yield* projections.resume(again.name)
      yield* orders
        .list()
        .pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ freshness }) => freshness.parked === 1 }))
      yield* hit
      assert.strictEqual((yield* orders.get(orderId)).order.version, version)
      assert.strictEqual((yield* orders.get(other)).freshness.parked, 1)
    }).pipe(Effect.provide(Layer.merge(cached, silent)), withOwnMetrics)
  )
})
