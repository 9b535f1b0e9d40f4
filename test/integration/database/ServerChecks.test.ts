import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Redacted } from "effect"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { Database } from "../../../src/database/Database.ts"
import * as Migrations from "../../../src/database/Migrations.ts"

/** Starts on the database, after a change to it, and returns what was logged. */
const started = Effect.fnUntraced(function* (url: string, change: string) {
  const lines: Array<string> = []
  const logger = Logger.make(({ message }) => void lines.push(String(message)))
  const database = Database.layer({ ...patientConnections, url: Redacted.make(url) })
  yield* Effect.gen(function* () {
    yield* Migrations.run
    const { projections: sql } = yield* Database
    yield* sql.unsafe(change)
    yield* Effect.scoped(Layer.build(Migrations.layer))
  }).pipe(Effect.provide(Layer.merge(database, Logger.layer([logger]))))
  return lines
})

describe("the clock", () => {
  const ahead = (interval: string) =>
    `UPDATE ordinal.log_head SET recorded_at = clock_timestamp() + interval '${interval}'`

  it.live("is said to be behind the log by how much, if that is more than a minute", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const [warning, ...others] = yield* started(url, ahead("365 days"))
      assert.match(
        warning ?? "",
        /^The newest event was recorded 36[45]d.* ahead of the database's clock\. .* compare the clock/
      )
      assert.deepStrictEqual(others, [])
      assert.lengthOf(yield* started(url, ahead("10 minutes")), 1)
      assert.deepStrictEqual(yield* started(url, ahead("30 seconds")), [])
      assert.deepStrictEqual(yield* started(url, ahead("-1 day")), [])
    })
  )
})

it.live("settings of the session hold however they are written", () =>
  Effect.gen(function* () {
    const url = Redacted.make(yield* freshDatabase)
    const sessionSettings = {
      statement_timeout: "60000ms",
      lock_timeout: "2000",
      enable_seqscan: "no",
      log_disconnections: "on",
      "my.own": "x"
    }
    const database = Database.layer({
      ...patientConnections,
      url,
      sessionSettings,
      pools: { projections: 1, reads: 1 }
    })
    assert.isNotEmpty(yield* Effect.scoped(Effect.provide(Migrations.run, database)))
  })
)

describe("encryption that the URL asks for", () => {
  const using = (url: string, parameters: string) => {
    const database = Database.layer({ ...patientConnections, url: Redacted.make(`${url}?${parameters}`) })
    const read = Effect.flatMap(Database, ({ reads }) => reads`SELECT 1 AS one`)
    return Effect.scoped(Effect.provide(read, database))
  }

  it.live("is never left out: a server without TLS is refused", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      for (const parameters of ["ssl=true", "ssl=1", "sslmode=require", "sslmode=verify-full"]) {
        const refused = yield* Effect.flip(using(url, parameters))
        assert.strictEqual(refused._tag, "SqlError", parameters)
        assert.include(String(refused.cause), "TLS", parameters)
      }
      for (const parameters of ["ssl=false", "sslmode=disable", "sslmode=prefer", "application_name=x"]) {
        assert.lengthOf(yield* using(url, parameters), 1)
      }
    })
  )

  const unknown: ReadonlyArray<readonly [parameters: string, says: RegExp]> = [
    ["ssl=yes", /ssl=yes, which must be true or false/],
    ["ssl=true&sslmode=disable", /both ssl and sslmode/],
    ["sslmode=require&sslrootcert=/ca.pem", /sslrootcert, which is not read.*NODE_EXTRA_CA_CERTS/]
  ]
  it.live.each(unknown)("is refused with a sentence if it can't be honoured: %s", ([parameters, says]) =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(using("postgres://me@127.0.0.1:1/orders", parameters))
      assert.match(refused.message, says)
    })
  )
})
