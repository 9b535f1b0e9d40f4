/**
 * Looks at the database as a start would, and goes further: it migrates nothing, and an event that it appends is taken back. An
 * embedded database is opened only if it is there already.
 */
import { Clock, Duration, Effect, Layer, Logger, Redacted } from "effect"
import { SqlClient } from "effect/sql"
import type { SqlError } from "effect/sql/SqlError"
import { existsSync } from "node:fs"
import { join } from "node:path"
import { Database } from "../../../database/Database.ts"
import * as Migrations from "../../../database/Migrations.ts"
import * as ServerChecks from "../../../database/ServerChecks.ts"
import * as ViewsSchema from "../../../database/ViewsSchema.ts"
import * as AppendTrial from "../../../eventstore/append/AppendTrial.ts"
import type { Settings } from "../../Settings.ts"
import * as DiskSpace from "./DiskSpace.ts"
import { Broken, type Findings } from "./Findings.ts"
import * as SqlProblems from "./SqlProblems.ts"

const broken = (problem: string) => Effect.fail(new Broken({ problem }))

/** PostgreSQL refuses nothing that is asked here, so its limits of time are left as they are. */
const serverInfo = Effect.gen(function* () {
  const { reads } = yield* Database
  const [row] = yield* reads<{
    readonly version: string
    readonly inRecovery: boolean
    readonly readOnly: string
    readonly canCreate: boolean
    readonly role: string
    readonly at: number
  }>`SELECT current_setting('server_version') AS version, pg_is_in_recovery() AS "inRecovery",
      current_setting('transaction_read_only') AS "readOnly", current_user::text AS role,
      has_database_privilege(current_database(), 'CREATE') AS "canCreate",
      extract(epoch FROM clock_timestamp())::float8 * 1000 AS at`
  return row ?? (yield* broken("The database answers nothing. Look at its log."))
})

type Info = Effect.Success<typeof serverInfo>

const writable = ({ inRecovery, readOnly }: Info) => {
  if (inRecovery) {
    return broken(
      "The database is a standby, which is read-only. Name the primary in DATABASE_URL, or promote this one."
    )
  }
  return readOnly === "on"
    ? broken(
        "The database is read-only: default_transaction_read_only is on. Set it to off, by ALTER DATABASE … or ALTER ROLE " +
          "… SET, or in postgresql.conf."
      )
    : Effect.succeed("The database takes writes.")
}

/** Callers' tokens are judged by this machine's clock, and events are dated by the database's. */
const mostApart = Duration.seconds(30)

const clocks = Effect.fnUntraced(function* ({ at }: Info) {
  const apart = (yield* Clock.currentTimeMillis) - at
  if (Math.abs(apart) <= Duration.toMillis(mostApart)) return "This machine's clock and the database's agree."
  const [long, way] = [
    Duration.format(Duration.seconds(Math.round(Math.abs(apart) / 1000))),
    apart > 0 ? "ahead of" : "behind"
  ]
  return yield* broken(
    `This machine's clock is ${long} ${way} the database's. Set both by a time server (NTP), so that tokens and times are right.`
  )
})

const eventTimes = Effect.gen(function* () {
  const { projections } = yield* Database
  const seconds = yield* ServerChecks.secondsAhead(projections)
  if (seconds === undefined) return "The newest event is not dated in the future."
  return yield* broken(
    `The newest event is dated ${Duration.format(Duration.seconds(Math.round(seconds)))} ahead of the database's clock, which ` +
      "was wrong then or is wrong now. Set the clock right; new events get that time until the clock has reached it."
  )
})

const named = (left: ReadonlyArray<readonly [id: number, name: string]>) =>
  left.map(([id, name]) => `${id} (${name})`).join(", ")

/** Returns whether the schema is there; a database without it is fine for a role that may make it. */
const schema = Effect.fnUntraced(function* ({ canCreate, role }: Info) {
  const { projections } = yield* Database
  const left = yield* Effect.provideService(Migrations.pending, SqlClient.SqlClient, projections)
  if (left.length === 0) return "The schema is of this version."
  const owner = "Run `ordinal migrate` with the DATABASE_URL of the schema's owner."
  if (left[0]?.[0] !== 1) {
    return yield* broken(
      `The database's schema is older than this program: it lacks migrations ${named(left)}. ${owner}`
    )
  }
  if (canCreate) return "The database has no schema yet. The first start makes it, or `ordinal migrate` does."
  return yield* broken(`The database has no schema yet, and the role ${role} may not make one. ${owner}`)
})

const isMigrated = Effect.gen(function* () {
  const { projections } = yield* Database
  return (yield* Effect.provideService(Migrations.pending, SqlClient.SqlClient, projections)).length === 0
})

const append = Effect.gen(function* () {
  const { reads } = yield* Database
  yield* AppendTrial.tryPage(reads)
  return "An event could be appended, and was taken back."
})

const opened = (findings: Findings, url: Redacted.Redacted) =>
  Effect.gen(function* () {
    const database = yield* Database
    const check = <E extends Error>(name: string, run: Effect.Effect<string, E | SqlError, Database>) =>
      findings.check(name, Effect.mapError(Effect.provideService(run, Database, database), SqlProblems.explain<E>(url)))

    const reach = Effect.gen(function* () {
      yield* ServerChecks.sessions(database)
      return `PostgreSQL ${(yield* serverInfo).version} answers.`
    })
    if (!(yield* check("database", reach))) return
    const info = yield* serverInfo
    yield* check("encoding", Effect.as(ServerChecks.encoding(database.reads), "The database holds any text."))
    yield* check("clock", clocks(info))
    const isWritable = yield* check("writes", writable(info))
    if (!(yield* check("schema", schema(info))) || !(yield* isMigrated)) return
    yield* check(
      "views",
      Effect.as(ViewsSchema.check(database.reads), "The tables of views are where they are looked for.")
    )
    yield* check("event times", eventTimes)
    if (isWritable) yield* check("append", append)
  })

/** A directory that holds no database yet gets one at the first start. */
const embedded = Effect.fnUntraced(function* (findings: Findings, directory: string) {
  if (directory === "memory") return true
  if (!(yield* findings.check("disk", DiskSpace.check(directory)))) return false
  if (existsSync(join(directory, "data"))) return true
  yield* findings.check("database", Effect.succeed(`The first start makes a database in ${directory}.`))
  return false
})

export const check = Effect.fnUntraced(function* (findings: Findings, settings: Settings) {
  const { ALLOW_PGLITE_IN_PRODUCTION, DATABASE_SCHEMA, DATABASE_URL, DATABASE_VIEWS_SCHEMA } = settings
  const url = Redacted.value(DATABASE_URL)
  if (url.startsWith("pglite:") && !(yield* embedded(findings, url.slice("pglite:".length)))) return
  const layer = Database.layer({
    url: DATABASE_URL,
    schema: DATABASE_SCHEMA,
    viewsSchema: DATABASE_VIEWS_SCHEMA || undefined,
    allowPgliteInProduction: ALLOW_PGLITE_IN_PRODUCTION,
    pools: { append: 1, projections: 1, reads: 1 }
  })
  yield* opened(findings, DATABASE_URL).pipe(
    Effect.provide(Layer.provideMerge(layer, Logger.layer([]))),
    Effect.mapError(SqlProblems.explain(DATABASE_URL)),
    Effect.catch((error) => findings.check("database", Effect.fail(error)))
  )
})
