import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Struct } from "effect"
import * as OrdersLayers from "../../../../src/orders/OrdersLayers.ts"
import * as EventSourcing from "../../../../src/kernel/EventSourcing.ts"
import type { Projection } from "../../../../src/projection/Projection.ts"
import { Database } from "../../../../src/database/Database.ts"
import { Currency } from "../../../../src/order/Money.ts"
import type { QueryResult } from "../../../../src/orders/QueryOptions.ts"
import { CustomerId, ProductId } from "../../../../src/order/OrderId.ts"
import { Orders } from "../../../../src/orders/Orders.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { Audits } from "../../../../src/projection/audit/Audits.ts"
import { ParkedStreams } from "../../../../src/projection/parking/ParkedStreams.ts"
import { type Rebuild, Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import { CatalogViewProjection } from "../../../../src/views/catalog/CatalogViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { longestWait, patientConnections } from "../../../../harness/clocks/Patience.ts"
import { silent } from "../../../../harness/views/ViewSteps.ts"

const adapters = {
  memory: Effect.succeed(OrdersLayers.layerMemory),
  postgres: Effect.map(freshDatabase, (url) => OrdersLayers.layerPostgres(url)),
  pglite: Effect.succeed(OrdersLayers.layerPglite("memory"))
}
const EUR = Currency.make("EUR")
const details = (name: string) => ({ name, unitPrice: 100, currency: EUR, taxBps: 0 })
const productId = (n: number) => ProductId.make(`p-${String(n).padStart(3, "0")}`)

/** A list has one token for all. */
const listed = <A extends QueryResult>(item: A) => Struct.omit(item, ["freshness", "token"])

const everyPage = Effect.fnUntraced(function* (withdrawn: boolean | undefined, token: string) {
  const orders = yield* Orders
  const found: Array<string> = []
  let cursor: string | undefined
  do {
    const filter = withdrawn === undefined ? {} : { withdrawn }
    const page = yield* orders.products({ ...filter, limit: 7, ...(cursor === undefined ? {} : { cursor }) }, { token })
    assert.strictEqual(page.hasMore, page.next !== undefined)
    found.push(...page.products.map((product) => product.productId))
    cursor = page.next
  } while (cursor !== undefined)
  return found
})

describe.each(Object.entries(adapters))("the lists of the catalog on %s", (_, backend) => {
  it.live("have each product once, in pages by id, as it is once the token's write is there", () =>
    Effect.gen(function* () {
      const layer = yield* backend
      yield* Effect.gen(function* () {
        const orders = yield* Orders
        assert.deepStrictEqual((yield* orders.products()).products, [])
        // A customer of the same id is none of the products.
        yield* orders.saveCustomer(CustomerId.make("p-001"), { name: "Ada", email: "ada@example.org" })
        for (let n = 29; n >= 0; n--) yield* orders.saveProduct(productId(n), details(`Product ${n}`))
        for (let n = 0; n < 30; n += 3) yield* orders.withdrawProduct(productId(n))
        yield* orders.saveProduct(productId(3), details("Back again"))
        const { token } = yield* orders.saveProduct(productId(4), details("Renamed"))
        yield* orders.awaitCatalog(token, longestWait)

        const all = Array.from({ length: 30 }, (_, n) => productId(n))
        const gone = all.filter((_, n) => n % 3 === 0 && n !== 3)
        assert.deepStrictEqual(yield* everyPage(undefined, token), all)
        assert.deepStrictEqual(yield* everyPage(true, token), gone)
        assert.deepStrictEqual(
          yield* everyPage(false, token),
          all.filter((id) => !gone.includes(id))
        )
        const { freshness, products } = yield* orders.products({ limit: 100 })
        for (const product of products) {
          assert.deepStrictEqual(product, listed(yield* orders.product(product.productId)))
        }
        assert.strictEqual(freshness.behind, 0)
        const { customers } = yield* orders.customers()
        assert.deepStrictEqual(customers, [listed(yield* orders.customer(CustomerId.make("p-001")))])
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(silent))
  )

  it.live("refuse a cursor of another list, a damaged one, and a token of another log", () =>
    Effect.gen(function* () {
      const layer = yield* backend
      yield* Effect.gen(function* () {
        const orders = yield* Orders
        yield* orders.saveProduct(productId(1), details("One"))
        const { token } = yield* orders.saveProduct(productId(2), details("Two"))
        yield* orders.awaitCatalog(token, longestWait)
        const { next: cursor } = yield* orders.products({ limit: 1 }, { token })
        assert.isDefined(cursor)
        const wrong = [
          Effect.asVoid(orders.customers({ cursor: cursor! })),
          Effect.asVoid(orders.products({ cursor: cursor!, withdrawn: false })),
          Effect.asVoid(orders.products({ cursor: `${cursor}x` })),
          Effect.asVoid(orders.products({ cursor: "" }))
        ]
        for (const list of wrong) assert.strictEqual((yield* Effect.flip(list))._tag, "InvalidCursor")
        const foreign = `1.${crypto.randomUUID()}`
        assert.strictEqual((yield* Effect.flip(orders.products({}, { token: foreign })))._tag, "InvalidToken")
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provide(silent))
  )
})

const operated = (sessionSettings: Record<string, string> = {}) =>
  Layer.unwrap(
    Effect.map(freshDatabase, (url) => OrdersLayers.layerPostgres(url, { ...patientConnections, sessionSettings }))
  )
const { name } = CatalogViewProjection

describe("the catalog view", () => {
  it.live("is rebuilt, audited and repaired like any other", () =>
    Effect.gen(function* () {
      const orders = yield* Orders
      const projections = yield* Projections
      const rebuilds = yield* Rebuilds
      const audits = yield* Audits
      const { projections: sql } = yield* Database
      for (let n = 0; n < 10; n++) yield* orders.saveProduct(productId(n), details(`Product ${n}`))
      const { token } = yield* orders.withdrawProduct(productId(5))
      yield* projections.awaitToken(name, token, longestWait)
      const view = sql`SELECT * FROM ordinal.catalog_view ORDER BY category, id`
      const before = yield* view
      assert.deepStrictEqual((yield* audits.auditSample(name, 100)).differences, [])

      const { id } = yield* rebuilds.start(name, { compare: "all" })
      const isOver = ({ state }: Rebuild) => state !== "running"
      const rebuilt = yield* rebuilds.get(id).pipe(Effect.delay("20 millis"), Effect.repeat({ until: isOver }))
      assert.containSubset(rebuilt, { state: "completed", compared: 10, different: 0 })
      assert.deepStrictEqual(yield* view, before)

      const streamId = `product-${productId(5)}`
      yield* sql`UPDATE ordinal.catalog_view SET state = state || '{"withdrawn": false}' WHERE id = ${productId(5)}`
      const audited = yield* audits.auditStream(name, streamId)
      assert.containSubset(audited, { compared: 1, differences: [{ kind: "different", field: "state.withdrawn" }] })
      assert.containSubset(yield* audits.repair(name, streamId), { field: "state.withdrawn", inLog: true })
      yield* sql`DELETE FROM ordinal.catalog_view WHERE id = ${productId(6)}`
      assert.containSubset(yield* audits.repair(name, `product-${productId(6)}`), { kind: "missing" })
      assert.deepStrictEqual(yield* view, before)

      for (const [category, id] of [
        ["product", "nobody"],
        ["X", "nobody"],
        ["product", "in two\nlines"]
      ]) {
        yield* sql`INSERT INTO ordinal.catalog_view (category, id, version, "position", state)
          SELECT ${category}::text, ${id}::text, version, "position", state
          FROM ordinal.catalog_view WHERE id = ${productId(6)}`
        // Four rows at a time.
        const { differences } = yield* audits
          .auditSample(name, 4)
          .pipe(Effect.repeat({ until: (audited) => audited.differences.length > 0 }))
        const [extra] = differences
        const streamId = `${category}-${id}`
        assert.containSubset(extra, { kind: "extra", streamId })
        assert.containSubset(yield* audits.repair(name, streamId), { kind: "extra" })
      }
      assert.deepStrictEqual(yield* view, before)
    }).pipe(Effect.provide(operated()), Effect.provide(silent))
  )

  it.live("goes on with a product whose first event was skipped, since the next one says all of it", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const broken: Projection = {
        ...CatalogViewProjection,
        handle: (sql, events, slot) => {
          if (events.some(({ version }) => version === 1)) throw new Error("the first is poison")
          return CatalogViewProjection.handle(sql, events, slot)
        }
      }
      const layer = OrdersLayers.layerNoDeps.pipe(
        Layer.provideMerge(EventSourcing.layerPostgres(url, { ...patientConnections, projections: [broken] }))
      )
      yield* Effect.gen(function* () {
        const orders = yield* Orders
        const projections = yield* Projections
        const parkedStreams = yield* ParkedStreams
        for (const text of ["One", "Two", "Three"]) yield* orders.saveProduct(productId(1), details(text))
        const { token } = yield* orders.saveProduct(productId(1), details("Four"))
        yield* projections.awaitToken(name, token, longestWait)
        const [parked] = yield* parkedStreams.list
        yield* parkedStreams.skip(parked!.id)
        const { products } = yield* orders.products({}, { token })
        assert.deepStrictEqual(products, [listed(yield* orders.product(productId(1)))])
        const again = yield* orders.saveProduct(productId(1), details("Five"))
        const { products: after } = yield* orders.products({}, { token: again.token, ...longestWait })
        assert.containSubset(after, [{ name: "Five", version: 5 }])
      }).pipe(Effect.provide(layer), Effect.provide(silent))
    })
  )
})
