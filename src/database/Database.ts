/**
 * The one place that knows which database this is: `postgres://…`, `pglite:<directory>` or `pglite:memory`.
 *
 * On PostgreSQL each role has small pools or connections of its own, so that none can starve another, and every session
 * carries the limits that keep one hanging client from stopping all appends. On PGlite there is one session, shared by
 * all roles.
 *
 * Nothing connects until it is used; a database that is away is found out by the first statement.
 */
import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, type Option, Redacted, type Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import type { SqlError } from "effect/sql/SqlError"
import { DatabaseNotOpened } from "./DatabaseErrors.ts"
import type { DatabaseOptions } from "./DatabaseOptions.ts"

export class Database extends Context.Service<
  Database,
  {
    readonly kind: "postgres" | "pglite"
    /** Opens a connection for appends, owned by the scope; on PGlite the shared one. */
    readonly appendConnection: Effect.Effect<PgClient.PgClient, SqlError, Scope.Scope>
    /** How many append batches may be in flight. */
    readonly appendLanes: number
    /** Opens a connection for one projection's transactions, owned by the scope; on PGlite the shared one. */
    readonly projectionConnection: Effect.Effect<PgClient.PgClient, SqlError, Scope.Scope>
    readonly projections: PgClient.PgClient
    readonly reads: PgClient.PgClient
    /** Opens the connection for LISTEN; absent on PGlite, where this process is the only one. */
    readonly listener: Option.Option<Effect.Effect<PgClient.PgClient, SqlError, Scope.Scope>>
  }
>()("ordinal/database/Database") {
  static readonly layer = (options: DatabaseOptions) => Layer.effect(Database, make(options))
}

const isPostgres = /^postgres(ql)?:\/\//

export const make = Effect.fnUntraced(function* (options: DatabaseOptions) {
  const url = Redacted.value(options.url)
  if (isPostgres.test(url)) {
    const postgres = yield* Effect.promise(() => import("./Postgres.ts"))
    return Database.of(yield* postgres.make(options))
  }
  if (url.startsWith("pglite:") && url.length > "pglite:".length) {
    const pglite = yield* Effect.promise(() => import("./Pglite.ts"))
    return Database.of(yield* pglite.make(url.slice("pglite:".length), options))
  }
  return yield* new DatabaseNotOpened({
    reason: "UnknownUrl",
    problem: "DATABASE_URL must be postgres://…, pglite:<directory> or pglite:memory"
  })
}, Effect.provide(Reactivity.layer))
