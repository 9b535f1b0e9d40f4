/** The database on the pool of a program that hosts this one: what it lends, how much of it, and what it gets back. */
import { PgClient, PgTypes } from "@effect/sql-pg"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Logger, Redacted, Result, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import type { Connection } from "effect/sql/SqlConnection"
import * as PostgresProxy from "../../../harness/faults/PostgresProxy.ts"
import { assertViewIsFold } from "../../../harness/judges/OrderViewFold.ts"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { applicationName, hostDatabase, hostLayer, hostLog } from "../../../harness/servers/HostPool.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { readerLayer } from "../../../harness/views/ViewLayer.ts"
import { silent, viewReaches } from "../../../harness/views/ViewSteps.ts"
import { Database } from "../../../src/database/Database.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import { ProjectionProgress } from "../../../src/projection/consistency/ProjectionProgress.ts"
import * as ProjectionRunner from "../../../src/projection/run/ProjectionRunner.ts"
import * as SqlEventStore from "../../../src/eventstore/SqlEventStore.ts"
import * as Migrations from "../../../src/database/Migrations.ts"
import * as SqlProjectionStore from "../../../src/projection/store/SqlProjectionStore.ts"
import * as EventStoreContract from "../../../src/testing/EventStoreContract.ts"
import { append as appendEntries, entry, newStream, tags } from "../../../src/testing/EventStoreEntries.ts"
import { OrderViewProjection } from "../../../src/views/order/OrderViewProjection.ts"

const onFresh = (options: Parameters<typeof hostLog>[1] = {}, host: PgClient.PgPoolConfig = {}) =>
  Layer.unwrap(Effect.map(freshDatabase, (url) => hostLog(url, options, host)))

EventStoreContract.suite(onFresh(), "PostgreSQL, by the pool of the host")
EventStoreContract.suite(
  onFresh(
    { schema: "order", pools: { append: 1, projections: 1, reads: 1 } },
    { maxConnections: 4, transformResultNames: (name) => name.toUpperCase(), multiplex: true }
  ),
  "PostgreSQL, by the smallest pool, the schema order"
)

const query = (connection: Connection, text: string) => connection.executeUnprepared(text, [], undefined)

const onDatabase = SqlEventStore.layer.pipe(Layer.provideMerge(Migrations.layer))

/** The type `bigint` is read as a number. */
const ownTypes = () => {
  const types = PgTypes.makeRegistry()
  types.register(PgTypes.OID.int8, {
    encode: () => Result.succeed(new Uint8Array(8)),
    decode: (bytes) => Result.succeed(bytes.length)
  })
  return types
}

/** What a session of the host is like. */
const settingsOf = (connection: Connection) =>
  query(
    connection,
    `SELECT current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock,
      current_setting('enable_seqscan') AS seqscan, pg_current_xact_id_if_assigned() IS NULL AS "isOutside"`
  )

const ordinary = { statement: "0", lock: "0", seqscan: "on", isOutside: true }

describe("the pool of the host", () => {
  it.live("lends sessions of its own to the log, and meets none of them again", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        const host = yield* PgClient.PgClient
        yield* Effect.gen(function* () {
          yield* appendEntries(entry(newStream(), 0))
          const { projections, reads } = yield* Database
          for (const sql of [reads, projections]) {
            const [settings] = yield* Effect.scoped(Effect.flatMap(sql.reserve, settingsOf))
            assert.deepStrictEqual(settings, { statement: "5s", lock: "2s", seqscan: "off", isOutside: true })
          }
        }).pipe(Effect.provide(onDatabase.pipe(Layer.provideMerge(hostDatabase()))))
        const all = yield* Effect.all(Array.from({ length: 10 }, () => host.reserve))
        for (const connection of all) assert.deepStrictEqual(yield* settingsOf(connection), [ordinary])
      }).pipe(Effect.scoped, Effect.provide(hostLayer(url)))
    })
  )

  it.live("never gets a transaction back that was given up, which is rolled back", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const other = yield* connect(url)
      yield* other`CREATE TABLE kept (id integer)`
      yield* Effect.gen(function* () {
        const host = yield* PgClient.PgClient
        const { projectionConnection } = yield* Database
        const [isBegun, goesOn] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        const scope = yield* Scope.make()
        const sql = yield* Scope.provide(projectionConnection, scope)
        const transaction = sql`INSERT INTO kept VALUES (1)`.pipe(
          Effect.andThen(Deferred.succeed(isBegun, undefined)),
          Effect.andThen(Deferred.await(goesOn)),
          Effect.andThen(sql`INSERT INTO kept VALUES (2)`),
          sql.withTransaction
        )
        const fiber = yield* Effect.forkChild(transaction)
        yield* Deferred.await(isBegun)
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* Deferred.succeed(goesOn, undefined)
        assert.isTrue(Exit.isFailure(yield* Fiber.await(fiber)))
        yield* Fiber.join(closing)
        // What it had locked is free at once.
        yield* other.withTransaction(other`LOCK TABLE kept IN ACCESS EXCLUSIVE MODE NOWAIT`)
        const all = yield* Effect.all(Array.from({ length: 10 }, () => host.reserve))
        for (const connection of all) {
          assert.deepStrictEqual(yield* settingsOf(connection), [ordinary])
          yield* query(connection, "INSERT INTO kept VALUES (3)")
        }
        assert.deepStrictEqual(yield* other`SELECT count(*)::integer, max(id), min(id) FROM kept`, [
          { count: 10, max: 3, min: 3 }
        ])
      }).pipe(Effect.scoped, Effect.provide(hostDatabase().pipe(Layer.provideMerge(hostLayer(url)))))
    })
  )

  it.live("lends a connection for transactions, to which nobody else's statement can belong", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const other = yield* connect(url)
      yield* other`CREATE TABLE kept (id integer)`
      yield* Effect.gen(function* () {
        const sql = yield* Effect.flatMap(Database, ({ projectionConnection }) => projectionConnection)
        const inside = Effect.gen(function* () {
          yield* sql`INSERT INTO kept VALUES (1)`
          const outside = yield* Deferred.await(begun)
          return yield* Effect.as(Effect.fail("rolled back"), outside)
        })
        const begun = yield* Deferred.make<Fiber.Fiber<unknown, unknown>>()
        const transaction = yield* Effect.forkChild(Effect.exit(sql.withTransaction(inside)), {
          startImmediately: true
        })
        yield* Deferred.succeed(
          begun,
          yield* Effect.forkChild(sql`INSERT INTO kept VALUES (2)`, { startImmediately: true })
        )
        yield* Fiber.join(transaction)
        yield* Fiber.join(yield* Deferred.await(begun))
        assert.deepStrictEqual(yield* other`SELECT id FROM kept`, [{ id: 2 }])
      }).pipe(Effect.scoped, Effect.provide(hostDatabase().pipe(Layer.provide(hostLayer(url)))))
    })
  )

  it.live("lends another session for one that has failed", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const other = yield* connect(url)
      yield* Effect.gen(function* () {
        const { reads } = yield* Database
        yield* reads`SELECT 1`
        yield* other`SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = ${applicationName}`
        assert.isTrue(Exit.isFailure(yield* Effect.exit(reads`SELECT 1`)))
        yield* reads`SELECT 1`
      }).pipe(Effect.provide(hostDatabase({ pools: { reads: 1 } }).pipe(Layer.provide(hostLayer(url)))))
    })
  )

  it.live("is refused with a sentence that says how many connections are needed, if it is too small", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const opened = (maxConnections: number, projections: number) =>
        Effect.provide(Database, hostDatabase({ projections }).pipe(Layer.provide(hostLayer(url, { maxConnections }))))
      const refused = yield* Effect.flip(opened(8, 2))
      assert.strictEqual(
        refused.message,
        "The pool of the given PgClient has 8 connections at most, but 9 are needed (2 to append, 2 to read, 1 to look after " +
          "projections, 1 to listen, 2 to run projections, 1 to rebuild one), besides those of your own program. Give it " +
          "more by maxConnections, or lower `pools`."
      )
      yield* opened(9, 2)
      yield* opened(6, 0)
      assert.include((yield* Effect.flip(opened(5, 0))).message, "but 6 are needed (2 to append, 2 to read, 1")
    })
  )

  it.live("is refused if it is a lone connection, with how many are needed", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const lone = Layer.effect(PgClient.PgClient, PgClient.makeClient({ url: Redacted.make(url) })).pipe(
        Layer.provide(Reactivity.layer)
      )
      const database = hostDatabase({ connectTimeout: "200 millis" }).pipe(Layer.provide(lone))
      const log = Layer.provide(onDatabase, database)
      const refused = yield* Effect.flip(Effect.scoped(Layer.build(log)))
      assert.include(refused.message, "has not lent a connection in time; 6 are needed (2 to append")
    })
  )

  it.live("is refused if it reads values by types of its own", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const refused = yield* Effect.flip(Effect.scoped(Layer.build(hostLog(url, {}, { types: ownTypes() }))))
      assert.include(refused.message, "The given PgClient reads bigint by types of its own (its option `types`)")
    })
  )
})

it.live("an append works again on sessions that began while the database was read-only", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const administrator = yield* connect(url)
    const name = new URL(url).pathname.slice(1)
    yield* Effect.gen(function* () {
      const store = yield* EventStore
      yield* appendEntries(entry(newStream(), 0))
      yield* administrator.unsafe(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
      yield* administrator`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = ${applicationName} ORDER BY pid`
      const refused = yield* Effect.flip(store.append([entry(newStream(), 0)], 1_000))
      assert.include(["DatabaseUnavailable", "OutcomeUnknown"], refused._tag)
      yield* administrator.unsafe(`ALTER DATABASE ${name} RESET default_transaction_read_only`)
      assert.deepStrictEqual(tags(yield* appendEntries(entry(newStream(), 0))), ["Accepted"])
    }).pipe(Effect.provide(hostLog(url)))
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
)

it.live(
  "a view is the fold of the log when a session of the pool is cut before or after any of its statements (L12)",
  () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const proxy = yield* PostgresProxy.make(url)
      const runner = ProjectionRunner.layer(OrderViewProjection).pipe(
        Layer.provideMerge(Layer.merge(LogTail.layer, ProjectionProgress.layer)),
        // The reader around it has a store of its own, whose sessions nobody cuts.
        Layer.provideMerge(Layer.fresh(SqlProjectionStore.layer)),
        Layer.provideMerge(hostLog(proxy.url)),
        Layer.provide(silent)
      )
      yield* Effect.gen(function* () {
        yield* Effect.gen(function* () {
          for (let cut = 0; cut < 24; cut++) {
            yield* proxy.inject(cut % 2 === 0 ? "cut before" : "cut after", applicationName, (cut >> 1) % 12)
            while (proxy.hits() === cut) yield* viewReaches(yield* append(yield* orderLives(2)))
          }
        }).pipe(Effect.provide(runner))
        yield* assertViewIsFold
      }).pipe(Effect.provide(readerLayer(url)))
    })
)
