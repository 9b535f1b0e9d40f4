import { assert, describe, it, layer as withLayer } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { now } from "../../../harness/clocks/RunningTime.ts"
import { Database } from "../../../src/database/Database.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { type Snapshot, Snapshots } from "../../../src/aggregate/Snapshots.ts"
import * as SqlSnapshots from "../../../src/aggregate/SqlSnapshots.ts"
import { equal } from "../../../src/testing/EventStoreEntries.ts"
import { freshLogLayer, logLayer } from "../../../harness/views/LogLayer.ts"
import { type Book, expected, inNewProcess, ledger } from "../../../harness/aggregates/Ledger.ts"

const stream = StreamId.make("ledger", "kept")
const book = (events: number): Book => ({ _tag: "Book", events })
const aggregate = ledger(100)

const snapshot = (version: number, extra: Partial<Snapshot> = {}): Snapshot => ({
  version,
  position: 9_007_199_254_740_993n,
  recordedAt: "2026-11-22T03:04:05.678Z",
  fingerprint: "f",
  state: { text: 'déjà "vu" 🎉', order: { b: 1, a: 2 }, exact: 9007199254740991, none: null },
  ...extra
})

const state = (warnings: Array<string> = []) =>
  inNewProcess((aggregates) => Effect.map(aggregates.read(aggregate, "a"), ({ state }) => state), warnings)

/** So many events, one command each, and a snapshot of the last full hundred of them. */
const booked = Effect.fnUntraced(function* (events: number) {
  const { reads: sql } = yield* Database
  yield* inNewProcess((aggregates) =>
    Effect.gen(function* () {
      for (let index = 0; index < events; index++) yield* aggregates.send(aggregate, "a", book(1))
      const saved = sql`SELECT version FROM ordinal.snapshots WHERE version = ${events - (events % 100)}`
      yield* saved.pipe(Effect.repeat({ until: (rows) => rows.length > 0 }))
    })
  )
  return sql
})

const databases = {
  PostgreSQL: freshLogLayer(),
  PGlite: logLayer("pglite:memory")
}

for (const [name, database] of Object.entries(databases)) {
  const provided = SqlSnapshots.layer.pipe(Layer.provideMerge(database))

  describe(`snapshots on ${name}`, () => {
    withLayer(provided, { excludeTestServices: true })((it) => {
      it.effect("come back as they were kept; the newer one wins, whoever is last", () =>
        Effect.gen(function* () {
          const { load, save } = yield* Snapshots
          assert.isUndefined(yield* load(stream))
          yield* save(stream, snapshot(5))
          equal(yield* load(stream), snapshot(5))
          yield* save(stream, snapshot(4))
          equal(yield* load(stream), snapshot(5))
          yield* save(stream, snapshot(6))
          equal(yield* load(stream), snapshot(6))
          // Another program's of the same version is of no use to this one.
          yield* save(stream, snapshot(6, { fingerprint: "g", state: 1 }))
          equal(yield* load(stream), snapshot(6, { fingerprint: "g", state: 1 }))
          const many = Array.from({ length: 30 }, (_, index) => save(stream, snapshot(10 + ((index * 7) % 30))))
          yield* Effect.all(many, { concurrency: "unbounded" })
          equal(yield* load(stream), snapshot(39))
        })
      )

      it.effect("are used, and change nothing but time when they are deleted, damaged or another program's", () =>
        Effect.gen(function* () {
          const sql = yield* booked(450)
          const warnings: Array<string> = []
          yield* sql`CREATE TABLE good AS SELECT * FROM ordinal.snapshots`
          yield* sql`UPDATE ordinal.snapshots SET state = '{ "count": 400, "sum": 1, "chain": 1 }'`
          assert.strictEqual((yield* state(warnings)).count, 450)
          assert.notStrictEqual((yield* state(warnings)).sum, expected(450).sum, "the snapshot was not used")
          equal(warnings, [])

          const damages = [
            sql`UPDATE ordinal.snapshots SET state = '"garbage"'`,
            sql`UPDATE ordinal.snapshots SET state = '{ "count": "many" }'`,
            sql`UPDATE ordinal.snapshots SET fingerprint = 'another program'`,
            sql`UPDATE ordinal.snapshots SET version = 1000`
          ]
          for (const damage of damages) {
            yield* sql`DELETE FROM ordinal.snapshots`
            yield* sql`INSERT INTO ordinal.snapshots SELECT * FROM good`
            yield* damage
            equal(yield* state(warnings), expected(450))
            assert.match(warnings.pop() ?? "", /snapshot .* ignored and the stream is replayed/)
            equal(warnings, [])
          }

          yield* sql`DELETE FROM ordinal.snapshots`
          equal(yield* state(warnings), expected(450))
          equal(warnings, [])
        })
      )
    })
  })
}

describe("a very long stream", () => {
  it.live("takes commands of more than 1,000 events, and loads in less than two seconds at 100,000", () =>
    Effect.gen(function* () {
      const total = 100_000
      const step = 2_500
      const long = ledger(500)
      yield* inNewProcess((aggregates) =>
        Effect.gen(function* () {
          for (let version = step; version <= total; version += step) {
            const accepted = yield* aggregates.send(long, "a", book(step))
            assert.strictEqual(accepted.version, version)
          }
          yield* aggregates.send(long, "a", book(7))
        })
      )
      const start = now()
      const { state, version } = yield* inNewProcess((aggregates) => aggregates.send(long, "a", book(1)))
      const took = now() - start
      assert.strictEqual(version, total + 8)
      equal(state, expected(total + 8))
      assert.isBelow(took, 2_000)
    }).pipe(Effect.provide(SqlSnapshots.layer.pipe(Layer.provideMerge(databases.PostgreSQL))))
  )
})
