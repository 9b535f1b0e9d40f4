/** The database's roles as docs/operating.md has them: its SQL is run, with names of its own, on any PostgreSQL. */
import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, onTestFinished } from "vitest"
import { causeText } from "../../src/database/CauseText.ts"
import { call, fillCatalog, list } from "../clients/HttpClient.ts"
import { until } from "../clocks/Until.ts"
import { placement } from "../fixtures/Shop.ts"
import { server, sql } from "./Resources.ts"
import { type Environment, launch } from "./ServerProcess.ts"

const documented = async (suffix: string) => {
  const text = await readFile(join(import.meta.dirname, "..", "..", "docs", "operating.md"), "utf8")
  const blocks = [...text.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, code = ""]) =>
    code.replaceAll(/\bordinal_(owner|app|shop|command|query|projector)\b/g, `ordinal_$1_${suffix}`)
  )
  return blocks.map((block) => block.split(/;\n/).filter((statement) => statement.trim() !== ""))
}

/** Makes the documented roles and database on the server of this URL, and gives the statements of the blocks that follow. */
export const prepare = async (serverUrl: string) => {
  const suffix = randomBytes(4).toString("hex")
  const [setUp = [], ...blocks] = await documented(suffix)
  const superuser = sql(serverUrl)
  for (const statement of setUp) await superuser.rows(statement)
  const database = `ordinal_shop_${suffix}`
  onTestFinished(async () => {
    const administrator = sql(serverUrl)
    await administrator.rows(`DROP DATABASE ${database} WITH (FORCE)`)
    for (const role of ["owner", "app", "command", "query", "projector"]) {
      await administrator.rows(`DROP ROLE IF EXISTS ordinal_${role}_${suffix}`)
    }
    await administrator.close()
  })
  const at = (changes: object) => Object.assign(new URL(serverUrl), { pathname: `/${database}` }, changes).href
  const urlFor = (role: string, password = "change me") => at({ username: `ordinal_${role}_${suffix}`, password })
  return { blocks, url: at({}), urlFor }
}

export const views = { DATABASE_VIEWS_SCHEMA: "ordinal_views" }

export const migrate = async (environment: Environment, ...flags: ReadonlyArray<string>) => {
  const { exit, output } = launch(environment, ["migrate", ...flags])
  assert.deepStrictEqual(await exit, { code: 0, signal: null }, output())
  return output().trim()
}

/** Rebuilds both views, whose tables are dropped and renamed. */
export const rebuilt = async (adminUrl: string) => {
  for (const view of ["order-view", "catalog-view"]) {
    const asked = await call(adminUrl, "POST", `/admin/projections/${view}/rebuild`, { body: {} })
    assert.strictEqual(asked.status, 202, asked.text)
    const rebuild = () => call(adminUrl, "GET", `/admin/rebuilds/${asked.body.id}`)
    const { body } = await until(rebuild, ({ body }) => body.state !== "running", { what: "The rebuild" })
    assert.strictEqual(body.state, "completed", body.problem)
  }
}

export const forbidden = async (url: string, statement: string) => {
  const message = await sql(url)
    .rows(statement)
    .then(() => "it is allowed", causeText)
  assert.match(message, /permission denied|must be owner/, statement)
}

/**
 * Processes for commands, for queries and for views work on the server of this URL, which is of this version, each with the
 * documented rights of its own: they are enough, for rebuilds too, and allow nothing else.
 */
export const worksByRole = async (serverUrl: string, version: number) => {
  const { blocks, url, urlFor } = await prepare(serverUrl)
  const at = blocks.findIndex(([first]) => first?.startsWith("CREATE ROLE ordinal_command"))
  const [roles = [], grants = []] = blocks.slice(at)
  const superuser = sql(url)
  const [running] = await superuser.rows<{ readonly version: number }>(
    "SELECT current_setting('server_version_num')::integer / 10000 AS version"
  )
  assert.strictEqual(running?.version, version)
  for (const statement of roles) await superuser.rows(statement)
  assert.match(await migrate({ ...views, DATABASE_URL: urlFor("owner") }), /^Migrated the database: 1 \(log\)/)
  for (const statement of grants) await superuser.rows(statement)
  const [command, query, projector] = await Promise.all(
    ["command", "query", "projector"].map((role) =>
      server({ ...views, DATABASE_URL: urlFor(role), ROLE: role, AUDIT_EVERY: "1 second", IDLE: "1 second" })
    )
  )
  assert.isDefined(command)
  assert.isDefined(query)
  assert.isDefined(projector)
  await fillCatalog(command.url)
  const headers = { prefer: "wait=30", "idempotency-key": "once" }
  const placed = await call(command.url, "POST", "/orders", { body: placement(), headers })
  assert.strictEqual(placed.status, 201, placed.text)
  assert.lengthOf(await list(query.url, { token: placed.headers.get("consistency-token") ?? "" }), 1)
  assert.strictEqual((await call(query.url, "GET", "/products/mug")).status, 200)
  for (const change of ["pause", "resume"]) {
    const { status } = await call(projector.adminUrl, "POST", `/admin/projections/order-view/${change}`)
    assert.strictEqual(status, 200)
  }

  await rebuilt(projector.adminUrl)
  assert.lengthOf(await list(query.url), 1)
  assert.strictEqual((await call(query.url, "GET", "/products/mug")).status, 200)

  // Each opens the connections that its part needs, and no other.
  const open = async () => {
    const rows = await superuser.rows<{ readonly role: string; readonly name: string }>(
      `SELECT DISTINCT split_part(usename, '_', 2) AS role, application_name AS name FROM pg_stat_activity
       WHERE datname = current_database() AND application_name LIKE 'ordinal-%'`
    )
    return rows.map(({ name, role }) => `${role} ${name.slice("ordinal-".length)}`).sort()
  }
  const needed = ["command append", "command listener", "command reads", "projector listener", "projector projections"]
  const expected = [...needed, "projector reads", "query listener", "query reads"]
  const found = await until(open, (all) => expected.every((one) => all.includes(one)), { what: "The connections" })
  assert.deepStrictEqual(found, expected)

  for (const { output, stop } of [command, query, projector]) {
    assert.deepStrictEqual(await stop(), { code: 0, signal: null })
    const denied = output()
      .split("\n")
      .filter((line) => /permission denied|must be owner/.test(line))
    assert.deepStrictEqual(denied, [])
  }
  const all = ["command", "query", "projector"].map((role) => urlFor(role))
  for (const own of all) await forbidden(own, "UPDATE ordinal.events SET type = 'x'")
  for (const own of all.slice(0, 2)) await forbidden(own, "UPDATE ordinal.checkpoints SET position = 0")
  for (const statement of [
    "DELETE FROM ordinal.commands",
    "CREATE TABLE ordinal.mine (id int)",
    "DROP TABLE ordinal.snapshots"
  ]) {
    await forbidden(urlFor("projector"), statement)
  }
  for (const own of all.slice(0, 2)) await forbidden(own, "DROP TABLE ordinal_views.order_view")
  for (const statement of ["DELETE FROM ordinal.commands", "UPDATE ordinal.snapshots SET state = '{}'"]) {
    await forbidden(urlFor("command"), statement)
  }
  // What it changes besides appending, it does by functions, which a process for queries may not call.
  const changes = [
    "SELECT ordinal.forget_commands(interval '1 year', 1)",
    "SELECT ordinal.keep_snapshot('order-1', 1, 1, now(), '', '{}')"
  ]
  for (const statement of changes) {
    await sql(urlFor("command")).rows(statement)
    await forbidden(urlFor("query"), statement)
  }
  const owned = await superuser.rows<{ readonly table: string }>(
    `SELECT n.nspname || '.' || c.relname AS table FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND pg_get_userbyid(c.relowner) LIKE 'ordinal_projector_%' ORDER BY 1`
  )
  assert.deepStrictEqual(
    owned.map(({ table }) => table),
    ["ordinal_views.catalog_view", "ordinal_views.order_view"]
  )
  for (const own of all.slice(1))
    await forbidden(own, "SELECT ordinal.append_batch(NULL, NULL, NULL, NULL, NULL, NULL)")
}
