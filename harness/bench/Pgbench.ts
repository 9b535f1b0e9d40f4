/** Measures the limit of PostgreSQL by its own load generator: one-row inserts, each with its commit, of an event's size. */
import { Effect } from "effect"
import { execFile } from "node:child_process"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { connect } from "../servers/FreshDatabase.ts"
import { columns, type Row, table } from "./InsertBaseline.ts"

const run = promisify(execFile)

const literal = (text: string) => `'${text.replaceAll("'", "''")}'`

/** With a space after each colon, since `:name` is a variable of pgbench. */
const json = (value: unknown) => literal(JSON.stringify(value, null, 1))

/** The inserts per second of so many clients; undefined if `pgbench` is not on the PATH. */
export const make = Effect.fnUntraced(function* (url: string, row: Row) {
  const isThere = yield* Effect.promise(() =>
    run("pgbench", ["--version"]).then(
      () => true,
      () => false
    )
  )
  if (!isThere) return undefined
  const admin = yield* connect(url)
  yield* admin.unsafe(table)
  const folder = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "ordinal-pgbench-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
  )
  const script = join(folder, "insert.sql")
  const values = [
    "'order-' || gen_random_uuid()",
    1,
    "gen_random_uuid()",
    literal(row.type),
    row.schemaVersion,
    json(row.data),
    json(row.metadata)
  ]
  yield* Effect.promise(() => writeFile(script, `INSERT INTO inserted (${columns}) VALUES (${values.join(", ")});\n`))
  return (clients: number, seconds: number) =>
    Effect.promise(async () => {
      const flags = ["-n", "-M", "prepared", "-f", script, "-c", String(clients), "-j", "1"]
      const { stdout } = await run("pgbench", [...flags, "-T", String(Math.max(1, Math.round(seconds))), url])
      const perSecond = Number(/tps = ([\d.]+)/.exec(stdout)?.[1])
      if (Number.isNaN(perSecond)) throw new Error(`pgbench told no rate:\n${stdout}`)
      return perSecond
    })
})
