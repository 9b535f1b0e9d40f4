import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

it.live("gives each caller an empty PostgreSQL database of its own", () =>
  Effect.gen(function* () {
    const urls = yield* Effect.all([freshDatabase, freshDatabase], { concurrency: 2 })
    assert.notStrictEqual(urls[0], urls[1])
    for (const url of urls) {
      const sql = yield* connect(url)
      yield* sql`CREATE TABLE here (it int)`
    }
  })
)
