/**
 * Opens the database that `url` names (`postgres://…`, `pglite:<directory>` or `pglite:memory`), or the one of the host's own
 * `PgClient`.
 *
 * On PostgreSQL each role has connections of its own, so that none can starve another, and every session has the limits
 * that keep a hanging client from stopping all appends. On PGlite one session serves all roles. Nothing connects until
 * it is used, so the first statement finds out that the database is away.
 */
import { PgClient } from "@effect/sql-pg"
import { Context, type Duration, Effect, Exit, Layer, type Option, Redacted, Scope } from "effect"
import { Reactivity } from "effect/reactivity"
import type { SqlError } from "effect/sql/SqlError"
import { DatabaseNotOpened } from "./DatabaseErrors.ts"
import type { DatabaseOptions } from "./DatabaseOptions.ts"
import type { HostPoolOptions } from "./HostPool.ts"
import * as SchemaName from "./SchemaName.ts"

type Connect = Effect.Effect<PgClient.PgClient, SqlError, Scope.Scope>

export class Database extends Context.Service<
  Database,
  {
    readonly kind: "postgres" | "pglite"
    /** Every session asks the server for these; `ServerChecks.sessions` finds out whether they are lost on the way. */
    readonly sessionSettings: Readonly<Record<string, string>>
    /** Opens a connection for appends, owned by the scope; on PGlite the shared one. */
    readonly appendConnection: Connect
    /** Limits the batches of appends that are in flight at once. */
    readonly appendLanes: number
    /** Opens a connection for the transactions of one projection, owned by the scope; on PGlite the shared one. */
    readonly projectionConnection: Connect
    readonly projections: PgClient.PgClient
    readonly reads: PgClient.PgClient
    /** A replica of this database, on which views may be read, if one is named. */
    readonly replica?: {
      readonly sql: PgClient.PgClient
      /** A read waits at most this long until the replica is as fresh as it demands. */
      readonly wait: Duration.Duration
    }
    /** Opens the connection for LISTEN; absent on PGlite, where no other process can append. */
    readonly listener: Option.Option<Connect>
    /** The host's own client, if all connections are of its pool. */
    readonly host?: PgClient.PgClient
  }
>()("ordinal/database/Database") {
  static readonly layer = (options: DatabaseOptions) => Layer.effect(Database, make(options))

  /** Takes all connections from the pool of the `PgClient` that the program provides. */
  static readonly layerHost = (options: HostPoolOptions) => Layer.effect(Database, makeHost(options))
}

const isPostgres = /^postgres(ql)?:\/\//

export const make = Effect.fnUntraced(function* (options: DatabaseOptions) {
  yield* SchemaName.checkAll(options)
  const url = Redacted.value(options.url)
  if (isPostgres.test(url)) {
    const postgres = yield* Effect.promise(() => import("./Postgres.ts"))
    return Database.of(yield* postgres.make(options))
  }
  if (options.replica !== undefined) {
    return yield* new DatabaseNotOpened({
      reason: "UnknownUrl",
      problem: "Only a PostgreSQL has replicas: give DATABASE_URL the URL of one, or leave DATABASE_REPLICA_URL out."
    })
  }
  if (url.startsWith("pglite:") && url.length > "pglite:".length) {
    const pglite = yield* Effect.promise(() => import("./pglite/Pglite.ts"))
    return Database.of(yield* pglite.make(url.slice("pglite:".length), options))
  }
  return yield* new DatabaseNotOpened({
    reason: "UnknownUrl",
    problem: "DATABASE_URL must be postgres://…, pglite:<directory> or pglite:memory."
  })
}, Effect.provide(Reactivity.layer))

export const makeHost = Effect.fnUntraced(function* (options: HostPoolOptions) {
  yield* SchemaName.checkAll(options)
  const hostPool = yield* Effect.promise(() => import("./HostPool.ts"))
  return Database.of(yield* hostPool.make(yield* PgClient.PgClient, options))
}, Effect.provide(Reactivity.layer))

/**
 * Runs `use` with a connection of its own. The connection is thrown away afterwards in the background, whatever state
 * it is in (the answer to a COMMIT may never have come): nobody waits for it, and no pool is short of it.
 */
export const withDedicatedConnection = <A, E, R>(
  connect: Connect,
  use: (sql: PgClient.PgClient) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | SqlError, R> =>
  Effect.acquireUseRelease(
    Scope.make(),
    (scope) => Effect.flatMap(Scope.provide(connect, scope), use),
    (scope) => Effect.forkDetach(Scope.close(scope, Exit.void))
  )
