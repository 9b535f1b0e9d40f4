/** A page is read without a look at what follows it, however long the stream or the log is. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../src/database/Database.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { append, entry, newStream } from "../../../src/testing/EventStoreEntries.ts"
import { freshLogLayer } from "../../../harness/views/LogLayer.ts"

it.live("a page of a stream and of the log looks only at its own events", () =>
  Effect.gen(function* () {
    const { readAll, readStream } = yield* EventStore
    const { reads: sql } = yield* Database
    const stream = newStream()
    for (let version = 0; version < 4_000; version += 500) yield* append(entry(stream, version, { events: 500 }))
    // As autovacuum leaves it.
    yield* sql`VACUUM (ANALYZE) ordinal.events`
    const readRows = Effect.map(
      sql<{
        readonly rows: bigint
      }>`SELECT idx_tup_fetch AS rows FROM pg_stat_xact_user_tables WHERE relname = 'events'`,
      ([row]) => Number(row?.rows)
    )
    /** Counts the events that the table gave to a page. */
    const looked = <A, E, R>(read: Effect.Effect<A, E, R>) =>
      Effect.gen(function* () {
        const before = yield* readRows
        yield* read
        return (yield* readRows) - before
      }).pipe(sql.withTransaction)
    const rows = [
      yield* looked(readStream(stream, { after: 0, limit: 10 })),
      yield* looked(readAll({ after: 0n, limit: 10 }))
    ]
    // One more than the page tells whether the stream goes on.
    assert.deepStrictEqual(rows, [11, 10])
  }).pipe(Effect.provide(freshLogLayer()))
)
