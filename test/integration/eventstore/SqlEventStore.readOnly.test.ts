/** Sessions that began while the database was read-only are given up, so writes work as soon as it is not any more. */
import { assert, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { append, entry, newStream, tags } from "../../../src/testing/EventStoreEntries.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { logLayer } from "../../../harness/views/LogLayer.ts"

it.live("an append works again on connections that were made while the database was read-only", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const administrator = yield* connect(url)
    const name = new URL(url).pathname.slice(1)
    yield* Effect.gen(function* () {
      const store = yield* EventStore
      yield* append(entry(newStream(), 0))
      yield* administrator.unsafe(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
      yield* administrator`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'ordinal-append' ORDER BY pid`
      const refused = yield* Effect.flip(store.append([entry(newStream(), 0)], 1_000))
      assert.include(["DatabaseUnavailable", "OutcomeUnknown"], refused._tag)
      yield* administrator.unsafe(`ALTER DATABASE ${name} RESET default_transaction_read_only`)
      assert.deepStrictEqual(tags(yield* append(entry(newStream(), 0), entry(newStream(), 0))), [
        "Accepted",
        "Accepted"
      ])
    }).pipe(Effect.provide(logLayer(url, { pools: { append: 1 } })))
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
)
