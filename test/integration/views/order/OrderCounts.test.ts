/** The counters of orders in each status are what counting the rows gives. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import { Audits } from "../../../../src/projection/audit/Audits.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { noOrders, OrderQueries } from "../../../../src/views/order/OrderQueries.ts"
import { selectCounts } from "../../../../src/views/order/SqlOrderQueries.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { name, rebuildEnds, silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { fresh, operatedLayer } from "../../../../harness/views/ViewLayer.ts"

/** Gives the counters of the table that serves, and what counting its rows gives; 0 is left out. */
const both = Effect.gen(function* () {
  const { projections: sql } = yield* Database
  const kept = yield* sql`SELECT status, orders FROM ordinal.order_counts
    WHERE view = 'ordinal.order_view'::regclass AND orders <> 0 ORDER BY status`
  const counted = yield* sql`SELECT status, count(*) AS orders FROM ordinal.order_view GROUP BY status ORDER BY status`
  return { kept, counted }
})

const assertCounted = Effect.gen(function* () {
  const { counted, kept } = yield* both
  assert.deepStrictEqual(kept, counted)
  const { counts } = yield* Effect.flatMap(OrderQueries, (queries) => queries.counts({}))
  const rows = Object.fromEntries(counted.map((row) => [row["status"], Number(row["orders"])]))
  assert.deepStrictEqual(counts, { ...noOrders, ...rows })
  return counted.length
})

const databases = { postgres: fresh(operatedLayer), pglite: operatedLayer("pglite:memory") }

describe.each(Object.keys(databases) as ReadonlyArray<keyof typeof databases>)(
  "the counters of orders on %s",
  (kind) => {
    it.live(
      "are those of the rows while orders change, after changes by hand and their repair, and after a rebuild",
      () =>
        Effect.gen(function* () {
          const { projections: sql } = yield* Database
          const [audits, rebuilds] = [yield* Audits, yield* Rebuilds]
          const entries = yield* orderLives(40)
          for (const some of [entries.slice(0, 100), entries.slice(100)]) {
            yield* viewReaches(yield* append(some, 7))
            assert.isAbove(yield* assertCounted, 1)
          }

          // A row that was changed by hand counts as before; what puts it right counts anew, and so does what removes a row.
          const { kept } = yield* both
          yield* sql`UPDATE ordinal.order_view SET status = 'returned' WHERE status <> 'returned'`
          yield* sql`DELETE FROM ordinal.order_view 
            WHERE order_id = ANY(ARRAY(SELECT order_id FROM ordinal.order_view ORDER BY order_id LIMIT 3))`
          yield* sql`INSERT INTO ordinal.order_view
        SELECT 'ord_00000000-0000-7000-8000-000000000000', 1, 1, customer_id, 'shipped', payment_status, placed_at,
          updated_at, state FROM ordinal.order_view ORDER BY order_id LIMIT 1`
          assert.deepStrictEqual((yield* both).kept, kept)
          const foreign = "order-ord_00000000-0000-7000-8000-000000000000"
          const { differences } = yield* audits.auditSample(name, 1_000)
          assert.isAbove(differences.length, 3)
          for (const streamId of new Set([...differences.map((one) => one.streamId), foreign])) {
            assert.isDefined(yield* audits.repair(name, streamId))
          }
          yield* assertCounted
          assert.deepStrictEqual((yield* both).kept, kept)

          const { id } = yield* rebuilds.start(name, { compare: "all" })
          assert.containSubset(yield* rebuildEnds(id), { state: "completed", different: 0 })
          yield* assertCounted
          yield* viewReaches(yield* append(yield* orderLives(10)))
          assert.isAbove(yield* assertCounted, 1)
        }).pipe(Effect.provide(databases[kind]), Effect.provide(silent))
    )
  }
)

it.live("a view that an older program writes is counted by its rows", () =>
  Effect.gen(function* () {
    const { projections: sql } = yield* Database
    yield* viewReaches(yield* append(yield* orderLives(20)))
    const queries = yield* OrderQueries
    const { counts } = yield* queries.counts({})
    // It moves no counters. A rebuild that was aborted does not begin by itself.
    yield* sql`INSERT INTO ordinal.rebuilds (projection, version, state, target, started_at, finished_at)
      VALUES (${name}, ${OrderViewProjection.version}, 'aborted', 0, now(), now())`
    yield* sql`UPDATE ordinal.checkpoints SET version = 3 WHERE projection = ${name}`
    yield* sql`UPDATE ordinal.order_counts SET orders = 7`
    assert.deepStrictEqual((yield* queries.counts({})).counts, counts)
  }).pipe(Effect.provide(fresh(operatedLayer)), Effect.provide(silent))
)

it.live("all orders are counted without a look at their rows", () =>
  Effect.gen(function* () {
    const { reads: sql } = yield* Database
    yield* viewReaches(yield* append(yield* orderLives(20)))
    const plan = yield* sql<{
      readonly "QUERY PLAN": string
    }>`EXPLAIN (ANALYZE, COSTS OFF) ${selectCounts(sql, undefined)}`
    const scans = plan.map((row) => row["QUERY PLAN"]).filter((line) => line.includes(" on order_view"))
    assert.isAbove(scans.length, 0)
    for (const scan of scans) assert.include(scan, "never executed")
  }).pipe(Effect.provide(fresh(operatedLayer)))
)
