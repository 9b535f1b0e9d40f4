import { address } from "../../../harness/fixtures/Shop.ts"
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Layer, Logger } from "effect"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { Database } from "../../../src/database/Database.ts"
import { Currency } from "../../../src/order/Money.ts"
import { CustomerId, ProductId } from "../../../src/order/OrderId.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import type { Receipt } from "../../../src/orders/Receipt.ts"
import type { Projection } from "../../../src/projection/Projection.ts"
import { ParkedStreams } from "../../../src/projection/parking/ParkedStreams.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import { type Rebuild, Rebuilds } from "../../../src/projection/rebuild/Rebuilds.ts"
import { hostLayer } from "../../../harness/servers/HostPool.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { ProductSales, topProducts } from "../../../examples/TopProducts.ts"
import { longestWait, patientConnections } from "../../../harness/clocks/Patience.ts"

const backends = {
  "on PGlite": Effect.succeed((projection = ProductSales) =>
    OrdersLayers.layerPglite("memory", { projections: [projection] })
  ),
  "on PostgreSQL": Effect.map(
    freshDatabase,
    (url) =>
      (projection = ProductSales) =>
        OrdersLayers.layerPostgres(url, { ...patientConnections, projections: [projection] })
  ),
  "on the client of the host": Effect.map(
    freshDatabase,
    (url) =>
      (projection = ProductSales) =>
        Layer.provide(OrdersLayers.layerSql({ ...patientConnections, projections: [projection] }), hostLayer(url))
  )
}

const [ada, EUR] = [CustomerId.make("ada"), Currency.make("EUR")]
const [mug, tea] = [ProductId.make("mug"), ProductId.make("tea")]

const place = Effect.fnUntraced(function* (...quantities: ReadonlyArray<readonly [ProductId, number]>) {
  const [first, ...rest] = quantities.map(([productId, quantity]) => ({ productId, quantity }))
  const lines = [first!, ...rest] as const
  return yield* (yield* Orders).place({ customerId: ada, currency: EUR, lines, shippingAddress: address })
})

const stocked = Effect.gen(function* () {
  const orders = yield* Orders
  yield* orders.saveCustomer(ada, { name: "Ada", email: "ada@example.org" })
  for (const id of [mug, tea]) {
    yield* orders.saveProduct(id, { name: id, unitPrice: 100, currency: EUR, taxBps: 0 })
  }
})

const ended = (id: string) =>
  Effect.flatMap(Rebuilds, (rebuilds) =>
    rebuilds
      .get(id)
      .pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ state }: Rebuild) => state !== "running" }))
  )

/** Those on which something may be placed in this test: it may be midnight meanwhile. */
const days = Effect.map(DateTime.now, (now) =>
  [-1, 0, 1].map((later) => DateTime.formatIsoDateUtc(DateTime.add(now, { days: later })))
)

/** The best of these days. */
const best = Effect.fnUntraced(function* (days: ReadonlyArray<string>, order?: Receipt) {
  const sales = new Map<string, bigint>()
  for (const day of days) {
    for (const { productId, sold } of yield* topProducts(day, order, longestWait)) {
      sales.set(productId, (sales.get(productId) ?? 0n) + sold)
    }
  }
  return [...sales].map(([productId, sold]) => ({ productId, sold })).sort((a, b) => Number(b.sold - a.sold))
})

describe.each(Object.entries(backends))("a projection of one's own %s", (_, backend) => {
  it.live("follows the log beside the order view, and with a token contains the write it was given for", () =>
    Effect.gen(function* () {
      const own = yield* backend
      yield* Effect.gen(function* () {
        yield* stocked
        const on = yield* days
        for (let count = 1; count <= 20; count++) {
          const placed = yield* place([mug, 2], [tea, 1])
          assert.deepStrictEqual(yield* best(on, placed), [
            { productId: "mug", sold: BigInt(2 * count) },
            { productId: "tea", sold: BigInt(count) }
          ])
        }
        const projections = yield* Projections
        const rebuilds = yield* Rebuilds
        const foreign = "1.00000000-0000-0000-0000-000000000000"
        const invalid = yield* Effect.flip(projections.awaitToken(ProductSales.name, foreign))
        assert.strictEqual(invalid._tag, "InvalidToken")
        const unknown = yield* Effect.flip(projections.awaitToken("no-such", "1.x"))
        assert.strictEqual(unknown._tag, "UnknownProjection")

        // Paused, it says that it is behind, and how far; it goes on by itself when it is resumed.
        yield* projections.pause(ProductSales.name)
        const placed = yield* place([tea, 100])
        const behind = yield* Effect.flip(
          projections.awaitToken(ProductSales.name, placed.token, { wait: "50 millis" })
        )
        assert.strictEqual(behind._tag, "ProjectionBehind")
        const info = (yield* projections.list).find(({ name }) => name === ProductSales.name)
        assert.containSubset(info, { status: "paused", behind: 2 })
        yield* projections.resume(ProductSales.name)
        assert.deepStrictEqual((yield* best(on, placed))[0], { productId: "tea", sold: 120n })

        // Rebuilt beside what serves.
        const { id } = yield* rebuilds.start(ProductSales.name)
        assert.containSubset(yield* ended(id), { state: "completed" })
        assert.deepStrictEqual((yield* best(on, placed))[0], { productId: "tea", sold: 120n })
      }).pipe(Effect.provide(own()))
    }).pipe(Effect.provide(Logger.layer([])))
  )

  it.live("sets aside an order that it can't count, says so to whoever asks, and counts it after the fix", () =>
    Effect.gen(function* () {
      const own = yield* backend
      let isFixed = false
      const picky: typeof ProductSales = {
        ...ProductSales,
        handle: (sql, events, slot) => {
          const isTooMuch = events.some((event) => JSON.stringify(event.data).includes(`"quantity":13,`))
          if (isTooMuch && !isFixed) throw new Error("thirteen")
          return ProductSales.handle(sql, events, slot)
        }
      }
      yield* Effect.gen(function* () {
        yield* stocked
        const [on, parkedStreams] = [yield* days, yield* ParkedStreams]
        const placed = yield* place([mug, 13])
        const { orderId, token } = placed
        const streamId = `order-${orderId}`
        const later = yield* place([tea, 1])
        assert.deepStrictEqual(yield* best(on, later), [{ productId: "tea", sold: 1n }])
        const [parked] = yield* parkedStreams.list
        assert.containSubset(parked, { projection: picky.name, streamId, version: 1, reason: "thirteen" })
        const refused = yield* Effect.flip(best(on, placed))
        assert.containSubset(refused, { _tag: "ProjectionBehind", parked: true })
        // The order view is another projection, which has no trouble with it.
        assert.strictEqual((yield* (yield* Orders).get(orderId, { token, ...longestWait })).order.version, 2)

        isFixed = true
        yield* parkedStreams.retry(parked!.id)
        assert.deepStrictEqual((yield* best(on, placed))[0], { productId: "mug", sold: 13n })
      }).pipe(Effect.provide(own(picky)))
    }).pipe(Effect.provide(Logger.layer([])))
  )
})

describe("a new version of a projection of one's own", () => {
  it.live("is built while the old one serves, and takes its place by itself", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const on = yield* days
      const run = <A, E>(
        projection: typeof ProductSales,
        effect: Effect.Effect<A, E, Orders | Projections | Database>
      ) => Effect.provide(effect, OrdersLayers.layerPostgres(url, { ...patientConnections, projections: [projection] }))
      const placed = yield* run(ProductSales, Effect.andThen(stocked, place([mug, 3])))
      const doubled: typeof ProductSales = {
        ...ProductSales,
        version: 2,
        handle: (sql, [first, ...rest], slot) =>
          Effect.andThen(
            ProductSales.handle(sql, [first, ...rest], slot),
            ProductSales.handle(sql, [first, ...rest], slot)
          )
      }
      const counted = yield* run(
        doubled,
        Effect.gen(function* () {
          const projections = yield* Projections
          const isNew = Effect.map(
            projections.list,
            (infos) => infos.find(({ name }) => name === doubled.name)!.version
          )
          yield* isNew.pipe(Effect.delay("20 millis"), Effect.repeat({ until: (version) => version === 2 }))
          return yield* best(on, placed)
        })
      )
      assert.deepStrictEqual(counted, [{ productId: "mug", sold: 6n }])
    }).pipe(Effect.provide(Logger.layer([])))
  )
})

describe("a projection of one's own that finds its table filled", () => {
  const start = <A, E>(
    url: string,
    projections: ReadonlyArray<Projection>,
    effect: Effect.Effect<A, E, Orders | Projections | Rebuilds | Database>
  ) =>
    Effect.provide(effect, OrdersLayers.layerPostgres(url, { ...patientConnections, projections })).pipe(
      Effect.provide(Logger.layer([]))
    )

  it.live("does not begin to count on top of it, under another name or after its checkpoint was deleted", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const on = yield* days
      const placed = Effect.andThen(stocked, place([mug, 3]))
      yield* start(
        url,
        [ProductSales],
        Effect.flatMap(placed, (order) => best(on, order))
      )
      const refused = yield* Effect.flip(start(url, [{ ...ProductSales, name: "sales" }], Effect.void))
      assert.containSubset(refused, { _tag: "ProjectionStopped", projection: "sales" })
      assert.include(String(refused), "public.product_sales has rows already, but no checkpoint says of which events")

      const unchanged = Effect.gen(function* () {
        const { projections: sql } = yield* Database
        const projections = yield* Projections
        const rebuilds = yield* Rebuilds
        yield* projections.pause(ProductSales.name)
        yield* sql`DELETE FROM ordinal.checkpoints WHERE projection = ${ProductSales.name}`
        yield* projections.pause(ProductSales.name)
        assert.strictEqual((yield* Effect.flip(rebuilds.start(ProductSales.name)))._tag, "RebuildRefused")
        // The order view's token waits for what comes after; the runner has looked more than once by then.
        const { token } = yield* place([mug, 4])
        const behind = yield* Effect.flip(projections.awaitToken(ProductSales.name, token, { wait: "1500 millis" }))
        assert.strictEqual(behind._tag, "ProjectionBehind")
        return yield* best(on)
      })
      assert.deepStrictEqual(yield* start(url, [ProductSales], unchanged), [{ productId: "mug", sold: 3n }])
    })
  )

  it.live("refuses to share it with another projection", () =>
    Effect.gen(function* () {
      const twins = [ProductSales, { ...ProductSales, name: "sales" }]
      const exit = yield* Effect.exit(start(yield* freshDatabase, twins, Effect.void))
      assert.include(String(exit), "Two projections keep their rows in public.product_sales")
    })
  )
})
