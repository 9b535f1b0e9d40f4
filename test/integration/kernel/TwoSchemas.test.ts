/** Two order services in this process, on two schemas of one database, have nothing to do with each other. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Queue } from "effect"
import { address } from "../../../harness/fixtures/Shop.ts"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { longestWait, patientConnections } from "../../../harness/clocks/Patience.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { silent } from "../../../harness/views/ViewSteps.ts"
import { Database } from "../../../src/database/Database.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { Currency } from "../../../src/order/Money.ts"
import { CustomerId, ProductId } from "../../../src/order/OrderId.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { ParkedStreams } from "../../../src/projection/parking/ParkedStreams.ts"
import type { Projection } from "../../../src/projection/Projection.ts"
import * as ProjectionTable from "../../../src/projection/ProjectionTable.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import { type Rebuild, Rebuilds } from "../../../src/projection/rebuild/Rebuilds.ts"

const [ada, EUR, mug] = [CustomerId.make("ada"), Currency.make("EUR"), ProductId.make("mug")]

/** Counts events by type, in a table beside those of the log; an order of 13 mugs is too much for it, if it is `picky`. */
const table = ProjectionTable.make({ name: "ordinal.counts", columns: "type text PRIMARY KEY, count bigint NOT NULL" })
const counts = (picky: boolean): Projection => ({
  name: "counts",
  version: 1,
  categories: ["order"],
  partition: "stream",
  tables: table,
  handle: (sql, events, slot) =>
    Effect.forEach(
      events,
      ({ data, type }) => {
        if (picky && JSON.stringify(data).includes(`"quantity":13,`)) throw new Error("thirteen")
        return sql`INSERT INTO ${table.in(sql, slot)} AS c VALUES (${type}, 1)
          ON CONFLICT (type) DO UPDATE SET count = c.count + 1`
      },
      { discard: true }
    )
})

const place = Effect.fnUntraced(function* (orders: Orders["Service"], quantity: number) {
  return yield* orders.place({
    customerId: ada,
    currency: EUR,
    lines: [{ productId: mug, quantity }],
    shippingAddress: address
  })
})

const ended = (rebuilds: Rebuilds["Service"], id: string) =>
  rebuilds
    .get(id)
    .pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ state }: Rebuild) => state !== "running" }))

it.live("two services on two schemas of one database don't disturb each other", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const open = Effect.fnUntraced(function* (schema: string, picky: boolean) {
      const options = { ...patientConnections, schema, projections: [counts(picky)] }
      const context = yield* Layer.build(Layer.fresh(OrdersLayers.layerPostgres(url, options)))
      const orders = Context.get(context, Orders)
      yield* orders.saveCustomer(ada, { name: "Ada", email: "ada@example.org" })
      yield* orders.saveProduct(mug, { name: schema, unitPrice: 100, currency: EUR, taxBps: 0 })
      return { orders, context }
    })
    // They migrate at the same time.
    const [first, second] = yield* Effect.all([open("ordinal", true), open("order", false)], { concurrency: 2 })
    const [firstHints, secondHints] = [
      yield* (yield* connect(url)).listen("ordinal_log"),
      yield* (yield* connect(url)).listen("order_log")
    ]

    const [firstLog, secondLog] = [first, second].map(({ context }) => Context.get(context, EventStore)) as [
      EventStore["Service"],
      EventStore["Service"]
    ]
    const before = yield* firstLog.head
    const placed = yield* Effect.forEach([1, 13, 2], (quantity) => place(second.orders, quantity))
    const last = placed.at(-1)!
    yield* second.orders.get(last.orderId, { token: last.token, ...longestWait })
    assert.deepStrictEqual(yield* firstLog.head, before)
    assert.isAbove(Number((yield* secondLog.head).position), Number(before.position))
    const { payload } = yield* Queue.take(secondHints)

    // The same order is another one there.
    const unknown = yield* Effect.flip(first.orders.get(last.orderId))
    assert.strictEqual(unknown._tag, "OrderNotFound")
    const foreign = yield* Effect.flip(first.orders.get(last.orderId, { token: last.token }))
    assert.strictEqual(foreign._tag, "InvalidToken")

    const parked = yield* place(first.orders, 13)
    const sound = yield* place(first.orders, 1)
    const lists = Effect.forEach([first, second], ({ context }) => Context.get(context, ParkedStreams).list)
    for (const { context, token } of [
      { ...first, token: sound.token },
      { ...second, token: last.token }
    ]) {
      yield* Context.get(context, Projections).awaitToken("counts", token, longestWait)
    }
    const [firstParked, secondParked] = yield* lists
    assert.deepStrictEqual(
      firstParked!.map(({ streamId }) => streamId),
      [`order-${parked.orderId}`]
    )
    assert.deepStrictEqual(secondParked, [])

    /** What the second one's table holds, which is beside its log. */
    const rows = ({ context }: typeof second) => {
      const { reads: sql } = Context.get(context, Database)
      return sql<{
        readonly type: string
        readonly count: bigint
      }>`SELECT type, count FROM ordinal.counts ORDER BY type`
    }
    assert.deepInclude(yield* rows(second), { type: "OrderPlaced", count: 3n })
    assert.deepInclude(yield* rows(first), { type: "OrderPlaced", count: 1n })

    const rebuilds = Context.get(second.context, Rebuilds)
    yield* Context.get(first.context, Projections).pause("counts")
    for (const name of ["counts", "order-view", "catalog-view"]) {
      const { id } = yield* rebuilds.start(name, { compare: "all" })
      const rebuild = yield* ended(rebuilds, id)
      assert.containSubset(rebuild, { state: "completed", different: 0 }, rebuild.problem)
    }
    assert.deepStrictEqual(yield* Context.get(first.context, Rebuilds).list, [])
    assert.deepInclude(yield* rows(second), { type: "OrderPlaced", count: 3n })
    const statuses = Effect.forEach([first, second], ({ context }) =>
      Effect.map(Context.get(context, Projections).list, (list) => list.find(({ name }) => name === "counts")?.status)
    )
    assert.deepStrictEqual(yield* statuses, ["paused", "live"])
    const heard = yield* Queue.takeAll(firstHints)
    assert.notInclude(
      heard.map((hint) => hint.payload),
      payload
    )
  }).pipe(Effect.provide(silent))
)
