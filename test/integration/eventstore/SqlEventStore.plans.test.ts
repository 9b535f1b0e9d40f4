import type { PgClient } from "@effect/sql-pg"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { append, entry, newStream, readFrom } from "../../../src/testing/EventStoreEntries.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { logLayer } from "../../../harness/views/LogLayer.ts"

/** Counts the sequential scans of the log's tables, once every session has reported its own. */
const sequentialScans = (sql: PgClient.PgClient) =>
  Effect.gen(function* () {
    const others = sql<{ readonly count: bigint }>`SELECT count(*) AS count FROM pg_stat_activity
      WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'`
    while ((yield* others)[0]?.count !== 0n) yield* Effect.sleep(20)
    yield* sql`SELECT pg_stat_clear_snapshot()`
    return yield* sql`SELECT relname, seq_scan FROM pg_stat_user_tables
      WHERE schemaname = 'ordinal' AND relname IN ('events', 'commands', 'log_head') ORDER BY relname`
  })

it.live("sessions that began with an empty log never read its tables by sequential scan", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const sql = yield* connect(url)
    yield* Effect.scoped(Layer.build(logLayer(url)))
    const before = yield* sequentialScans(sql)
    yield* Effect.gen(function* () {
      const log = yield* EventStore
      for (let round = 0; round < 8; round++) {
        yield* log.readAll({ after: 0n, limit: 500 })
        yield* log.readStream(newStream(), { after: 0, limit: 500 })
        yield* log.currentVersion(newStream())
        yield* log.findCommand(crypto.randomUUID())
      }
      for (let round = 0; round < 30; round++) {
        const stream = newStream()
        yield* append(...Array.from({ length: 50 }, () => entry(newStream(), 0, { fingerprint: "a" })))
        yield* append(entry(stream, 0), entry(stream, 7), entry(newStream(), 0, { events: 0, fingerprint: "a" }))
        const guards = [{ streamId: stream, version: 1 }]
        yield* append(entry(newStream(), 0, { guards }), entry(newStream(), 0, { guards, fingerprint: "a" }))
        yield* append(entry(stream, 1, { guards }), entry(newStream(), 0, { guards }), entry(stream, 9, { guards }))
        yield* log.currentVersion(stream)
        yield* log.readStream(stream, { after: 0, limit: 500 })
        yield* log.readAll({ after: BigInt(round), limit: 10 })
        yield* log.head
      }
      assert.lengthOf(yield* readFrom(0n), 30 * 54)
    }).pipe(Effect.provide(logLayer(url)))
    assert.deepStrictEqual(yield* sequentialScans(sql), before)
  })
)
