/** The PostgreSQL that is measured: the one that `TEST_DATABASE_URL` names, or one of our own, with fsync on. */
import { Effect } from "effect"
import { availableParallelism, cpus, totalmem } from "node:os"
import { connect } from "../servers/FreshDatabase.ts"
import * as PostgresServer from "../servers/PostgresServer.ts"

/** The server's URL. One of our own ends with the scope. */
export const server = Effect.gen(function* () {
  const given = process.env.TEST_DATABASE_URL
  if (given !== undefined && given !== "") return { url: given, kind: "given" as const }
  const started = yield* Effect.acquireRelease(
    Effect.promise(() => PostgresServer.start({ shared_buffers: "256MB" })),
    ({ stop }) => Effect.promise(stop)
  )
  return { url: started.url, kind: "embedded" as const }
})

const shown = ["server_version", "fsync", "synchronous_commit", "wal_sync_method", "shared_buffers"] as const

/** The surroundings that a figure depends on. */
export const facts = Effect.fnUntraced(function* (server: { readonly url: string; readonly kind: string }) {
  const sql = yield* connect(server.url)
  const settings = yield* sql<{ readonly name: string; readonly setting: string }>`SELECT name,
    current_setting(name) AS setting FROM unnest(${[...shown]}::text[]) AS asked (name) ORDER BY name`
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memoryGiB: Math.round(totalmem() / 1024 ** 3),
    node: process.versions.node,
    postgres: server.kind,
    ...Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))
  }
}, Effect.scoped)
