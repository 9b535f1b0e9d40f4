/** The table of a fold in PostgreSQL: audited, repaired, rebuilt, and read by its indexes. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { JarRows } from "../../../../harness/aggregates/JarRows.ts"
import { fill, JarId, Jars } from "../../../../harness/aggregates/Jars.ts"
import { longestWait, patientConnections } from "../../../../harness/clocks/Patience.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { silent } from "../../../../harness/views/ViewSteps.ts"
import { Database } from "../../../../src/database/Database.ts"
import * as EventSourcing from "../../../../src/kernel/EventSourcing.ts"
import { Audits } from "../../../../src/projection/audit/Audits.ts"
import * as FoldList from "../../../../src/projection/fold/FoldList.ts"
import * as SqlFoldReads from "../../../../src/projection/fold/SqlFoldReads.ts"
import type { Projection as Plain } from "../../../../src/projection/Projection.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { type Rebuild, Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import { Projection } from "../../../../src/projection/TypedProjection.ts"

const { name } = JarRows
const kernelOf = (url: string, projections: ReadonlyArray<Plain>, sessionSettings: Record<string, string> = {}) =>
  Layer.provideMerge(
    Jars.layer,
    EventSourcing.layerPostgres(url, { ...patientConnections, sessionSettings, projections })
  )
const kernel = (sessionSettings?: Record<string, string>) =>
  Layer.unwrap(Effect.map(freshDatabase, (url) => kernelOf(url, [JarRows], sessionSettings)))

/** Another version, whose rows hold the weight of a coin as well. */
const Heavier = Projection.fold("jars", {
  version: 2,
  from: [Jars],
  row: Schema.Struct({ grams: Schema.Int }),
  fields: ["grams"],
  evolve: (row, { event }) => ({ grams: (row?.grams ?? 0) + (event._tag === "Filled" ? 8 * event.coins : 0) })
})

describe("the table of a fold", () => {
  it.live("is audited, repaired and rebuilt", () =>
    Effect.gen(function* () {
      const audits = yield* Audits
      const rebuilds = yield* Rebuilds
      const rows = yield* JarRows.queries
      const { projections: sql } = yield* Database
      const token = yield* fill("a:1 b:2 c:3 a:200")
      yield* rows.awaitToken(token, longestWait)
      const table = sql`SELECT * FROM ordinal.jars_rows ORDER BY id`
      const before = yield* table
      assert.containSubset(before, [{ category: "jar", id: "a", version: 2, coins: 201, isHeavy: true, half: 100.5 }])
      assert.deepStrictEqual((yield* audits.auditSample(name)).differences, [])

      yield* sql`UPDATE ordinal.jars_rows SET state = jsonb_set(state, '{coins}', '7') WHERE id = 'a'`
      const [difference] = (yield* audits.auditStream(name, "jar-a")).differences
      assert.containSubset(difference, { kind: "different", field: "state.coins", inView: 7, inLog: 201 })
      assert.containSubset(yield* audits.repair(name, "jar-a"), { inView: 7, inLog: 201 })
      yield* sql`DELETE FROM ordinal.jars_rows WHERE id = 'b'`
      assert.containSubset(yield* audits.repair(name, "jar-b"), { kind: "missing" })
      yield* sql`INSERT INTO ordinal.jars_rows (category, id, version, "position", state)
        SELECT category, 'nobody', version, "position", state FROM ordinal.jars_rows WHERE id = 'c'`
      assert.containSubset(yield* audits.repair(name, "jar-nobody"), { kind: "extra" })
      assert.deepStrictEqual(yield* table, before)

      // The row of a stream that evolve has taken away is put right by taking it away.
      const jars = yield* Jars
      const gone = yield* jars.send(JarId.make("c"), { _tag: "Label", text: "gone" })
      yield* rows.awaitToken(gone.token, longestWait)
      yield* sql`INSERT INTO ordinal.jars_rows (category, id, version, "position", state) VALUES ('jar', 'c', 2, 5, '{}')`
      assert.containSubset(yield* audits.repair(name, "jar-c"), { kind: "extra" })
      const kept = yield* table
      assert.deepStrictEqual(
        kept,
        before.filter((row) => row.id !== "c")
      )

      const { id } = yield* rebuilds.start(name, { compare: "all" })
      const isOver = ({ state }: Rebuild) => state !== "running"
      const rebuilt = yield* rebuilds.get(id).pipe(Effect.delay("20 millis"), Effect.repeat({ until: isOver }))
      assert.containSubset(rebuilt, { state: "completed", different: 0 })
      assert.deepStrictEqual(yield* table, kept)
    }).pipe(Effect.provide(kernel()), Effect.provide(silent), Effect.scoped)
  )

  it.live("of an older version serves until the new one has taken its place; what can't be read of it says so", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        const rows = yield* JarRows.queries
        yield* rows.awaitToken(yield* fill("a:1 b:2"), longestWait)
        // The rebuild waits until it is resumed.
        const { projections: sql } = yield* Database
        yield* sql`INSERT INTO ordinal.rebuilds (projection, version, state, target, started_at)
          VALUES (${name}, 2, 'paused', 0, clock_timestamp())`
      }).pipe(Effect.provide(kernelOf(url, [JarRows])), Effect.scoped)

      const jar = JarId.make("a")
      yield* Effect.gen(function* () {
        const rows = yield* Heavier.queries
        const rebuilds = yield* Rebuilds
        const unreadable = yield* Effect.flip(rows.get(jar))
        assert.containSubset(unreadable, { _tag: "RowUnreadable", streamId: "jar-a", madeBy: 1 })
        const { freshness, rows: none } = yield* rows.list()
        assert.deepStrictEqual([none, freshness.parked], [[], 2])
        // Its table has no such column yet.
        assert.strictEqual((yield* Effect.flip(rows.list({ sort: "grams" })))._tag, "DatabaseUnavailable")
        const [rebuild] = yield* rebuilds.list
        yield* rebuilds.resume(rebuild!.id)
        const isOver = ({ state }: Rebuild) => state === "completed"
        yield* rebuilds.get(rebuild!.id).pipe(Effect.delay("20 millis"), Effect.repeat({ until: isOver }))
        const { rows: sorted } = yield* rows.list({ sort: "-grams" })
        assert.deepStrictEqual(
          sorted.map(({ row }) => row.grams),
          [16, 8]
        )
        assert.strictEqual((yield* rows.get(jar)).row?.grams, 8)

        // A process of the older version leaves the table alone, and says that it can't read it.
        yield* Effect.gen(function* () {
          const older = yield* JarRows.queries
          assert.containSubset(yield* Effect.flip(older.get(jar)), { _tag: "RowUnreadable", madeBy: 2 })
          const [info] = yield* (yield* Projections).list
          assert.include(info?.problem, "version 2 of the projection made its view")
        }).pipe(Effect.provide(kernelOf(url, [JarRows])), Effect.scoped)
        assert.strictEqual((yield* rows.get(jar)).row?.grams, 8)
      }).pipe(Effect.provide(kernelOf(url, [Heavier])), Effect.scoped)
    }).pipe(Effect.provide(silent), Effect.scoped)
  )

  it.live("is read by its indexes, without a sort", () =>
    Effect.gen(function* () {
      const { projections: sql } = yield* Database
      yield* sql`INSERT INTO ordinal.jars_rows (category, id, version, "position", state)
        SELECT 'jar', 'id-' || n, 1, n, jsonb_build_object('coins', n % 100, 'label', 'l' || n % 10, 'isHeavy', n % 2 = 0)
        FROM generate_series(1, 50000) n`
      yield* sql`ANALYZE ordinal.jars_rows`
      const asked: ReadonlyArray<FoldList.Request> = [
        {},
        { sort: "-id" },
        { sort: "coins" },
        { sort: "-label" },
        { filter: { label: "l3" } },
        { filter: { isHeavy: true } }
      ]
      for (const request of asked) {
        const first = yield* Effect.fromResult(FoldList.parse(JarRows, request))
        const state = { coins: 50, label: "l5", isHeavy: true }
        const next = FoldList.page(JarRows, { ...first, limit: 0 }, [{ id: "id-4", version: 1, state }])
        const all = [first]
        if (next.next !== undefined) {
          all.push(yield* Effect.fromResult(FoldList.parse(JarRows, { ...request, cursor: next.next })))
        }
        for (const selection of all) {
          const [text, parameters] = SqlFoldReads.select(sql, JarRows, selection).compile()
          const plan = yield* sql.unsafe<{ readonly "QUERY PLAN": string }>(`EXPLAIN ${text}`, parameters)
          const lines = plan.map((row) => row["QUERY PLAN"])
          // The statement around the page sorts the rows of the page alone.
          const page = lines.slice(lines.findIndex((line) => line.includes("Limit"))).join("\n")
          assert.match(page, /Index Scan( Backward)? using jars_rows_/, JSON.stringify(request))
          assert.notMatch(page, /Seq Scan on jars_rows/, JSON.stringify(request))
          assert.notMatch(page.split("Index Scan")[0]!, /Sort/, JSON.stringify(request))
        }
      }
    }).pipe(Effect.provide(kernel({ statement_timeout: "0" })), Effect.provide(silent), Effect.scoped)
  )
})
