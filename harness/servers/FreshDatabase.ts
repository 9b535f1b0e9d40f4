/** Databases of one's own, on a PostgreSQL that others use too. */
import { PgClient } from "@effect/sql-pg"
import { Effect, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import { randomBytes } from "node:crypto"
import { sqlState } from "../../src/database/SqlFailure.ts"

/** However long the server is held up. */
export const connectTimeout = "5 minutes"

/** A connection of its own, without any of the application's session settings. */
export const connect = (url: string) =>
  PgClient.makeClient({ url: Redacted.make(url), applicationName: "ordinal-scripts", connectTimeout }).pipe(
    Effect.provide(Reactivity.layer)
  )

const objectInUse = "55006"

/** A session that is to end is waited for by the server for 5 s only, which a machine that is slow may take; a minute. */
const administrate = (url: string, statement: string) =>
  Effect.scoped(Effect.flatMap(connect(url), (sql) => sql.unsafe(statement))).pipe(
    Effect.retry({ while: (error) => sqlState(error) === objectInUse, times: 12 }),
    Effect.orDie,
    Effect.asVoid
  )

/** A new, empty database on the server of this URL, and how to drop it. `options` are those of CREATE DATABASE. */
export const create = Effect.fnUntraced(function* (serverUrl: string, options = "") {
  const name = `fresh_${randomBytes(8).toString("hex")}`
  yield* administrate(serverUrl, `CREATE DATABASE ${name} TEMPLATE template0 ${options}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.href, drop: administrate(serverUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`) }
})

/** The URL of a new, empty database, which is dropped when the scope closes. */
export const fresh = (serverUrl: string) =>
  Effect.map(
    Effect.acquireRelease(create(serverUrl), ({ drop }) => drop),
    ({ url }) => url
  )

/** The URL of a copy of a database to which nobody is connected, as restoring a backup makes one. */
export const copyOf = (url: string) => {
  const server = new URL(url)
  server.pathname = "/postgres"
  const name = `copy_${randomBytes(8).toString("hex")}`
  return Effect.acquireRelease(
    administrate(server.href, `CREATE DATABASE ${name} TEMPLATE ${new URL(url).pathname.slice(1)}`).pipe(
      Effect.as(Object.assign(new URL(url), { pathname: `/${name}` }).href)
    ),
    () => administrate(server.href, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  )
}
