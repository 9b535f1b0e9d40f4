/** One program on several kernels, and on the client of the program that hosts it. */
import { PgClient } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { SqlClient } from "effect/sql"
import { GiftCards } from "../../../examples/gift-card/src/GiftCard.ts"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { hostLayer } from "../../../harness/servers/HostPool.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { Database } from "../../../src/database/Database.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"

class North extends Context.Service<North, GiftCards["Service"]>()("test/North") {}
class South extends Context.Service<South, GiftCards["Service"]>()("test/South") {}

const xmas = GiftCards.definition.id.make("xmas")
const issue = (cents: number) => ({ _tag: "Issue", cents }) as const

it.live("two kernels in one program, on two schemas of one database, have nothing in common", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const on = (schema: string) =>
      Layer.fresh(GiftCards.layer).pipe(
        Layer.provide(EventSourcing.layerPostgres(url, { ...patientConnections, schema }))
      )
    const both = Layer.merge(
      Layer.effect(North, GiftCards).pipe(Layer.provide(on("north"))),
      Layer.effect(South, GiftCards).pipe(Layer.provide(on("south")))
    )
    yield* Effect.gen(function* () {
      const [north, south] = [yield* North, yield* South]
      assert.strictEqual((yield* north.send(xmas, issue(100))).version, 1)
      assert.strictEqual((yield* south.send(xmas, issue(200))).version, 1)
      assert.deepStrictEqual(
        [(yield* north.get(xmas)).state.balance, (yield* south.get(xmas)).state.balance],
        [100, 200]
      )
      const sql = yield* connect(url)
      const streams = yield* sql`SELECT data->>'cents' AS cents FROM north.events UNION ALL
        SELECT data->>'cents' FROM south.events`
      assert.deepStrictEqual(streams, [{ cents: "100" }, { cents: "200" }])
    }).pipe(Effect.provide(both))
  })
)

it.live("one kernel that two layers stand on is opened once", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const kernel = EventSourcing.layerPostgres(url, patientConnections)
    const reads = Effect.map(Database, (database) => database.reads)
    class First extends Context.Service<First, SqlClient.SqlClient>()("test/First") {}
    class Second extends Context.Service<Second, SqlClient.SqlClient>()("test/Second") {}
    const both = Layer.merge(Layer.effect(First, reads), Layer.effect(Second, reads)).pipe(Layer.provide(kernel))
    yield* Effect.gen(function* () {
      assert.strictEqual(yield* First, yield* Second)
    }).pipe(Effect.provide(both))
  })
)

describe("the kernel on the host's own client", () => {
  it.live("refuses a command inside a transaction of that client, and keeps what is sent outside", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const cards = GiftCards.layer.pipe(
        Layer.provideMerge(EventSourcing.layerSql({ ...patientConnections, schema: "cards" })),
        Layer.provideMerge(hostLayer(url))
      )
      yield* Effect.gen(function* () {
        const { get, send } = yield* GiftCards
        const sql = yield* PgClient.PgClient
        yield* sql`CREATE TABLE sales (card text)`
        const sell = Effect.andThen(sql`INSERT INTO sales VALUES (${xmas})`, send(xmas, issue(100)))
        const nested = sql.withTransaction(sell)
        for (const inside of [nested, sql.withTransaction(nested)]) {
          const refused = yield* Effect.flip(inside)
          assert.strictEqual(refused._tag, "InvalidRequest")
          assert.include(refused.message, "transaction: A command is stored by a transaction of its own")
        }
        // In a transaction that is aborted, nothing more can be asked.
        const failed = Effect.exit(sql`SELECT 1 / 0`)
        const aborted = yield* Effect.flip(sql.withTransaction(Effect.andThen(failed, send(xmas, issue(100)))))
        assert.strictEqual(aborted._tag, "InvalidRequest")
        // All connections that the host has left are in such transactions.
        const many = Array.from({ length: 30 }, () => Effect.flip(sql.withTransaction(send(xmas, issue(100)))))
        for (const { _tag } of yield* Effect.all(many, { concurrency: "unbounded" })) {
          assert.strictEqual(_tag, "InvalidRequest")
        }
        assert.deepStrictEqual(yield* sql`SELECT card FROM sales`, [])
        assert.strictEqual((yield* send(xmas, issue(300))).version, 1)
        assert.strictEqual((yield* get(xmas)).state.balance, 300)
        assert.deepStrictEqual(yield* sql`SELECT stream_id AS id FROM cards.events`, [{ id: "giftcard-xmas" }])
        // A read inside is no part of the transaction, and is served by other connections.
        assert.strictEqual((yield* sql.withTransaction(get(xmas))).state.balance, 300)
      }).pipe(Effect.provide(cards))
    })
  )
})
