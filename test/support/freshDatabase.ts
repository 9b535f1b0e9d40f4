import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { randomBytes } from "node:crypto"
import { inject } from "vitest"

const administrator = Effect.suspend(() =>
  PgClient.makeClient({ url: Redacted.make(inject("postgresUrl")), applicationName: "test-administrator" })
).pipe(Effect.provide(Reactivity.layer))

const administrate = (statement: string) =>
  Effect.scoped(Effect.flatMap(administrator, (sql) => sql.unsafe(statement))).pipe(Effect.orDie)

/** A new, empty PostgreSQL database; its URL. Dropped when the scope closes. */
export const freshDatabase = Effect.acquireRelease(
  Effect.gen(function* () {
    const name = `test_${randomBytes(8).toString("hex")}`
    yield* administrate(`CREATE DATABASE ${name} TEMPLATE template0`)
    const url = new URL(inject("postgresUrl"))
    url.pathname = `/${name}`
    return { name, url: url.href }
  }),
  ({ name }) => administrate(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
).pipe(Effect.map(({ url }) => url))
