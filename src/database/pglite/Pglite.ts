/**
 * Opens an embedded PostgreSQL (PGlite), in memory or in a directory that this process then owns.
 *
 * A directory holds `data` and, while a process has it open, that process's lock. The first start fills a temporary
 * sibling and renames it, so that a start after a kill finds nothing half done. **Gotchas**: PGlite never syncs to
 * disk, so acknowledged work survives the end of the process (also kill -9) but not a power cut.
 */
import type { PGlite } from "@electric-sql/pglite"
import { PgClient } from "@effect/sql-pg"
import { Duration, Effect, Option } from "effect"
import { existsSync } from "node:fs"
import { mkdir, readdir, realpath, rename, rm } from "node:fs/promises"
import { join } from "node:path"
import { causeText } from "../CauseText.ts"
import type { DatabaseOptions } from "../DatabaseOptions.ts"
import { DatabaseNotOpened } from "../DatabaseErrors.ts"
import * as DirectoryLock from "./DirectoryLock.ts"
import * as PgliteStream from "./PgliteStream.ts"
import { spareMemory } from "./WasmCompiler.ts"
import * as SchemaName from "../SchemaName.ts"

const unusable = (where: string) => (cause: unknown) =>
  new DatabaseNotOpened({
    reason: "Unusable",
    problem: `The embedded database in ${where} can't be opened: ${causeText(cause)}.`,
    cause
  })

type Start = (dataDir: string) => Promise<PGlite>

/** PostgreSQL's own default of 128 MiB would be memory of this process, for files that the operating system caches, too. */
const cache = ["-c", "shared_buffers=32MB"]

/** Loads PGlite only when it is used, because it is an optional dependency that users of PostgreSQL do not install. */
const load = Effect.tryPromise({
  try: async (): Promise<Start> => {
    spareMemory()
    const { PGlite } = await import("@electric-sql/pglite")
    return (dataDir) => PGlite.create({ dataDir, startParams: [...PGlite.defaultStartParams, ...cache] })
  },
  catch: (cause) =>
    new DatabaseNotOpened({
      reason: "NotInstalled",
      problem:
        "A pglite: database needs the package @electric-sql/pglite, which can't be loaded. " +
        "Run `npm install @electric-sql/pglite`, or use a PostgreSQL.",
      cause
    })
})

const newDatabase = "data.new-"

/** Refuses a directory with anything in it that this program did not leave there: it may have been a database. */
const assertEmpty = Effect.fnUntraced(function* (directory: string) {
  const names = yield* Effect.tryPromise({ try: () => readdir(directory), catch: unusable(directory) })
  const others = names.filter((name) => !name.startsWith(newDatabase) && !name.startsWith(DirectoryLock.prefix))
  if (others.length === 0) return
  return yield* new DatabaseNotOpened({
    reason: "Unusable",
    problem:
      `The directory ${directory} holds no database but is not empty (${others.toSorted().slice(0, 3).join(", ")}); ` +
      "restore its folder data from a backup, or use another directory for a new database."
  })
})

/** Refuses a damaged database: PGlite would make a new one over it. */
const assertDatabase = Effect.fnUntraced(function* (directory: string, data: string) {
  if (existsSync(join(data, "PG_VERSION"))) return
  return yield* new DatabaseNotOpened({
    reason: "Unusable",
    problem:
      `The database in ${directory} is damaged: ${data} holds no file PG_VERSION. Restore it from a backup; for a new ` +
      "database use another directory, or remove this one."
  })
})

const initialise = async (start: Start, directory: string, data: string) => {
  const leftovers = (await readdir(directory)).filter((name) => name.startsWith(newDatabase))
  await Promise.all(leftovers.map((name) => rm(join(directory, name), { recursive: true, force: true })))
  const fresh = join(directory, `${newDatabase}${process.pid}`)
  const database = await start(fresh)
  await database.close()
  await rename(fresh, data)
}

const openDirectory = Effect.fnUntraced(function* (start: Start, path: string) {
  const directory = yield* Effect.tryPromise({
    try: async () => {
      await mkdir(path, { recursive: true })
      return realpath(path)
    },
    catch: unusable(path)
  })
  yield* DirectoryLock.acquire(directory)
  const data = join(directory, "data")
  if (existsSync(data)) yield* assertDatabase(directory, data)
  else {
    yield* assertEmpty(directory)
    yield* Effect.logInfo("Making a new embedded database; this first start takes a few seconds.")
    yield* Effect.tryPromise({ try: () => initialise(start, directory, data), catch: unusable(directory) })
  }
  yield* Effect.logWarning(
    `Events are kept in ${directory} by an embedded database that does not survive a power cut; use PostgreSQL ` +
      "in production."
  )
  return yield* opened(start, data, directory)
})

const opened = (start: Start, dataDir: string, where: string) =>
  Effect.acquireRelease(Effect.tryPromise({ try: () => start(dataDir), catch: unusable(where) }), (database) =>
    Effect.promise(() => database.close().catch(() => undefined))
  )

const openMemory = (start: Start) =>
  Effect.andThen(
    Effect.logWarning("Everything is kept in memory only and is gone when this process ends."),
    opened(start, "memory://", "memory")
  )

export const make = Effect.fnUntraced(function* (location: string, options: DatabaseOptions) {
  if (process.env.NODE_ENV === "production" && options.allowPgliteInProduction !== true) {
    return yield* new DatabaseNotOpened({
      reason: "Production",
      problem:
        "The embedded database can lose acknowledged orders in a power cut and is refused with NODE_ENV=production; " +
        "set DATABASE_URL to a PostgreSQL, or ALLOW_PGLITE_IN_PRODUCTION=true."
    })
  }
  const start = yield* load
  const database = yield* location === "memory" ? openMemory(start) : openDirectory(start, location)
  // A pool of exactly one connection, unlike a lone connection, opens the session anew if the protocol ever breaks.
  const client = yield* Effect.flatMap(
    PgClient.make({
      stream: PgliteStream.make(database),
      ssl: false,
      database: "postgres",
      username: "postgres",
      applicationName: "ordinal",
      startupParameters: {},
      minConnections: 1,
      maxConnections: 1,
      idleTimeout: Duration.infinity
    }),
    SchemaName.inSchema(options)
  )
  return {
    kind: "pglite" as const,
    sessionSettings: {},
    appendConnection: Effect.succeed(client),
    appendLanes: 1,
    projectionConnection: Effect.succeed(client),
    projections: client,
    reads: client,
    listener: Option.none()
  }
})
