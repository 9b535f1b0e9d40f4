/** Opens a PostgreSQL database: a few connections per role, each with limits on how long it may hold up the others. */
import { PgClient } from "@effect/sql-pg"
import { Duration, Effect, Option, Redacted } from "effect"
import { Reactivity } from "effect/reactivity"
import * as ConnectionUrl from "./ConnectionUrl.ts"
import { type DatabaseOptions, defaultPools, defaultReplica, type ReplicaOptions } from "./DatabaseOptions.ts"
import * as SchemaName from "./SchemaName.ts"

/**
 * The server ends a session that hangs with locks in 5 s. Appends rely on READ COMMITTED. A long-lived session keeps
 * the plans that it made while a table was empty; without sequential scans such plans are right at any size.
 */
export const sessionSettings = {
  idle_in_transaction_session_timeout: "5s",
  lock_timeout: "2s",
  statement_timeout: "5s",
  tcp_user_timeout: "10s",
  client_connection_check_interval: "1s",
  default_transaction_isolation: "read committed",
  enable_seqscan: "off",
  jit: "off"
}

/** A session of a pool is replaced after this time, since it may have begun with settings that are gone, as read-only. */
export const connectionTTL = "20 seconds"

export const make = Effect.fnUntraced(function* (options: DatabaseOptions) {
  const sizes = { ...defaultPools, ...options.pools }
  const reactivity = yield* Reactivity.Reactivity
  const ssl = yield* ConnectionUrl.encryption(Redacted.value(options.url))
  const given = { ...sessionSettings, ...options.sessionSettings }
  const settings = (role: string): PgClient.PgClientConfig => ({
    url: options.url,
    ssl,
    applicationName: `ordinal-${role}`,
    connectTimeout: options.connectTimeout ?? "2 seconds",
    keepAlive: "10 seconds",
    startupParameters: given
  })
  const inSchema = SchemaName.inSchema(options)
  const pool = (role: string, maxConnections: number) =>
    Effect.flatMap(PgClient.make({ ...settings(role), maxConnections, connectionTTL }), inSchema)
  const connection = (role: string) =>
    PgClient.makeClient(settings(role)).pipe(
      Effect.flatMap(inSchema),
      Effect.provideService(Reactivity.Reactivity, reactivity)
    )
  const sharesReads = sizes.projections === 0
  // The checks of a start need two connections.
  const reads = yield* pool("reads", sharesReads ? Math.max(2, sizes.reads) : sizes.reads)
  const replicaOf = Effect.fnUntraced(function* ({ connections, url, wait }: ReplicaOptions) {
    const ssl = yield* ConnectionUrl.encryption(Redacted.value(url), "DATABASE_REPLICA_URL")
    const maxConnections = connections ?? defaultReplica.connections
    const client = yield* PgClient.make({ ...settings("replica"), url, ssl, maxConnections, connectionTTL })
    return { sql: yield* inSchema(client), wait: Duration.fromInputUnsafe(wait ?? defaultReplica.wait) }
  })
  return {
    kind: "postgres" as const,
    ...(options.replica === undefined ? {} : { replica: yield* replicaOf(options.replica) }),
    sessionSettings: given,
    appendConnection: connection("append"),
    appendLanes: sizes.append,
    projectionConnection: connection("projections"),
    projections: sharesReads ? reads : yield* pool("projections", sizes.projections),
    reads,
    listener: Option.some(connection("listener"))
  }
})
