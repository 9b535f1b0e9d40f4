import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Schema } from "effect"
import { GiftCards } from "../../../examples/gift-card/src/GiftCard.ts"
import { SpentPerTill } from "../../../examples/gift-card/src/SpentPerTill.ts"
import { ProductSales } from "../../../examples/TopProducts.ts"
import { projectionDatabase } from "../../../harness/views/ProjectionDatabase.ts"
import { Containers, JarRows } from "../../../harness/aggregates/JarRows.ts"
import { Jars } from "../../../harness/aggregates/Jars.ts"
import { OrderAggregate, OrderStreams } from "../../../src/order/OrderAggregate.ts"
import type { Projection } from "../../../src/projection/Projection.ts"
import { Projection as Typed } from "../../../src/projection/TypedProjection.ts"
import * as ProjectionTable from "../../../src/projection/ProjectionTable.ts"
import * as ProjectionLaws from "../../../src/testing/projections/ProjectionLaws.ts"
import * as CatalogView from "../../../src/views/catalog/CatalogViewProjection.ts"
import { OrderViewProjection } from "../../../src/views/order/OrderViewProjection.ts"

ProjectionLaws.suite(JarRows)
ProjectionLaws.suite(JarRows, { layer: projectionDatabase })
ProjectionLaws.suite(Containers)
ProjectionLaws.suite(CatalogView.CatalogViewProjection)
ProjectionLaws.suite(OrderViewProjection, { from: [OrderStreams], layer: projectionDatabase, runs: 3 })
ProjectionLaws.suite(CatalogView.CatalogViewProjection, { layer: projectionDatabase })
ProjectionLaws.suite(ProductSales, { from: [OrderStreams], layer: projectionDatabase })
ProjectionLaws.suite(SpentPerTill, { from: [GiftCards], layer: projectionDatabase })

const few = { from: [OrderStreams], runs: 2 }

const table = ProjectionTable.make({ name: "public.shipped", columns: `order_id text PRIMARY KEY, events bigint` })

/** Counts the events of each order, by a statement that a test may get wrong. */
const counted = (set: string, change: Partial<Projection> = {}): Projection => ({
  name: "shipped",
  version: 1,
  partition: "stream",
  categories: ["order"],
  tables: table,
  handle: (sql, events, slot) => sql`
    INSERT INTO ${table.in(sql, slot)} AS known (order_id, events)
    SELECT id, count(*) FROM unnest(${events.map(({ streamId }) => streamId)}::text[]) AS id GROUP BY 1
    ON CONFLICT (order_id) DO UPDATE SET events = ${sql.literal(set)}`,
  ...change
})

const other = ProjectionTable.make({ name: "public.other", columns: `order_id text PRIMARY KEY, events bigint` })

/** Each projection breaks the law of this name. */
const broken: Record<string, Projection> = {
  "any batching, and any restart, is one go": counted("excluded.events"),
  "one event at a time is one go": counted("known.events + excluded.events", {
    handle: (sql, events, slot) =>
      events.length === 1 && OrderAggregate.codec.decode(events[0])._tag === "ItemsShipped"
        ? Effect.void
        : counted("known.events + excluded.events").handle(sql, events, slot)
  }),
  "a rebuilt table is the live one, and goes on like it": counted("known.events + excluded.events", {
    handle: (sql, events, slot) =>
      slot === "shadow"
        ? counted("known.events").handle(sql, events, slot)
        : counted("known.events + excluded.events").handle(sql, events, slot)
  }),
  "an audit finds every row as the log says": counted("known.events + excluded.events", {
    audit: {
      row: (sql, id, slot) =>
        Effect.map(
          sql<{ readonly events: bigint }>`SELECT events FROM ${table.in(sql, slot)} WHERE order_id = ${id}`,
          ([row]) =>
            row === undefined
              ? undefined
              : { version: Number(row.events), content: Number(row.events) + (Number(row.events) > 2 ? 1 : 0) }
        ),
      contents: (events) => events.map((_, index) => index + 1),
      streams: () => Effect.succeed([]),
      write: () => Effect.succeed(false),
      remove: () => Effect.succeed(false)
    }
  })
}

it.layer(projectionDatabase, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
  for (const [law, projection] of Object.entries(broken)) {
    it.effect(`"${law}" is broken by a handler that breaks it`, () =>
      Effect.gen(function* () {
        const found = yield* Effect.flip(ProjectionLaws.check(projection, few))
        if (found._tag !== "ProjectionLawBroken") return assert.fail(String(found))
        // A handler that miscounts one event alone may be found by the batches that hold one event.
        const laws = law === "one event at a time is one go" ? [law, "any batching, and any restart, is one go"] : [law]
        assert.include(laws, found.law)
        // How small it gets depends on the log that was drawn: the unit tests of `RandomLog.shrink` tell what is promised.
        for (const stream of Map.groupBy(found.events, ({ streamId }) => streamId).values()) {
          assert.deepStrictEqual(
            stream.map(({ version }) => version),
            stream.map((_, index) => index + 1)
          )
        }
        assert.include(found.message, `does not hold for ${projection.name} (log ${found.logs} of`)
      })
    )
  }

  it.effect("a table is that of the slot, and the time that of the events", () =>
    Effect.gen(function* () {
      const wrongTable = counted("known.events + excluded.events", { tables: other })
      assert.match(String(yield* Effect.flip(ProjectionLaws.check(wrongTable, few))), /public.shipped/)
      const clock = counted("known.events + excluded.events + extract(microsecond FROM clock_timestamp())::bigint")
      assert.include((yield* Effect.flip(ProjectionLaws.check(clock, few))).message, "is one go")
    })
  )

  it.effect("holds for one that counts right", () =>
    ProjectionLaws.check(counted("known.events + excluded.events"), few)
  )
})

/** How many of a jar's coins count; a service of the host's. */
class Share extends Context.Service<Share, { readonly of: (coins: number) => number }>()("test/Share") {}

const shares = Typed.make("shares", {
  version: 1,
  from: [Jars],
  table: ProjectionTable.make({ name: "public.shares", columns: "jar text PRIMARY KEY, coins float8 NOT NULL" }),
  handle: Effect.fnUntraced(function* (events, { sql, table }) {
    const share = yield* Share
    for (const { event, id } of events) {
      const coins = event._tag === "Filled" ? share.of(event.coins) : 0
      yield* sql`INSERT INTO ${table} AS known (jar, coins) VALUES (${id}, ${coins})
        ON CONFLICT (jar) DO UPDATE SET coins = known.coins + excluded.coins`
    }
  })
})

const half = Layer.succeed(Share, { of: (coins) => coins / 2 })
ProjectionLaws.suite(shares, { layer: Layer.merge(projectionDatabase, half) })

it.layer(projectionDatabase, { excludeTestServices: true, timeout: "60 seconds" })((it) => {
  it.effect("a typed projection is given the services of its handler, and held to the laws", () =>
    Effect.gen(function* () {
      let given = 0
      const moody = Layer.succeed(Share, { of: () => given++ })
      const found = yield* Effect.flip(ProjectionLaws.check(shares, { runs: 1 })).pipe(Effect.provide(moody))
      assert.strictEqual(found._tag, "ProjectionLawBroken")
    })
  )
})

/** Each fold breaks the law of this name in memory. */
const brokenFolds = () => {
  let asked = 0
  const numbered = { row: Schema.Struct({ number: Schema.Finite }), version: 1, from: [Jars] }
  return {
    "any batching, and any restart, is one go": Typed.fold("jars", {
      ...numbered,
      evolve: () => ({ number: asked++ })
    }),
    "an audit finds every row as the log says": Typed.fold("jars", {
      version: 1,
      from: [Jars],
      // What is written is not what was read.
      row: Schema.Struct({ sums: Schema.instanceOf(Map) }),
      evolve: (row, { event }) => ({ sums: new Map([...(row?.sums ?? []), [event._tag, 1]]) })
    }),
    "one event at a time is one go, once rows are checked": Typed.fold("jars", {
      ...numbered,
      evolve: (row, { event }) => ({ number: event._tag === "Filled" ? (row?.number ?? 0) + event.coins : NaN })
    })
  }
}

it.effect("a fold that asks for more than its events, or has a row that can't be kept, breaks a law in memory", () =>
  Effect.gen(function* () {
    for (const fold of Object.values(brokenFolds())) {
      const found = yield* Effect.flip(ProjectionLaws.checkInMemory(fold, { runs: 2 }))
      if (found._tag !== "ProjectionLawBroken") return assert.fail(String(found))
      assert.isAtMost(found.events.length, 3)
      assert.include(found.message, "does not hold for jars")
    }
  })
)

it("the laws of what reads from names alone need the aggregates", () => {
  assert.throws(() => ProjectionLaws.suite({ ...JarRows, from: ["jar"] as never }), "say them as `from`")
})
