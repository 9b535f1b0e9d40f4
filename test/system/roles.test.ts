/** The database's roles as docs/operating.md has them: their SQL is run, with names of its own, and is enough. */
import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, inject, it, onTestFinished } from "vitest"
import { call, fillCatalog, list } from "../../harness/clients/HttpClient.ts"
import { until, untilSo } from "../../harness/clocks/Until.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { causeText } from "../../src/database/CauseText.ts"
import { refusal, server, sql } from "../../harness/servers/Resources.ts"
import { type Environment, launch } from "../../harness/servers/ServerProcess.ts"

const documented = async (suffix: string) => {
  const text = await readFile(join(import.meta.dirname, "..", "..", "docs", "operating.md"), "utf8")
  const blocks = [...text.matchAll(/^```sql\n(.*?)^```$/gms)].map(([, code = ""]) =>
    code.replaceAll(/\bordinal_(owner|app|shop|command|query|projector)\b/g, `ordinal_$1_${suffix}`)
  )
  return blocks.map((block) => block.split(/;\n/).filter((statement) => statement.trim() !== ""))
}

const urlOf = (role: string, password: string, database: string): string => {
  const url = new URL(inject("postgresUrl"))
  Object.assign(url, { username: role, password, pathname: `/${database}` })
  return url.href
}

/** Makes the documented roles and database, and gives the statements of the blocks that follow. */
const prepare = async () => {
  const suffix = randomBytes(4).toString("hex")
  const [setUp = [], ...blocks] = await documented(suffix)
  const superuser = sql(inject("postgresUrl"))
  for (const statement of setUp) await superuser.rows(statement)
  const database = `ordinal_shop_${suffix}`
  onTestFinished(async () => {
    const administrator = sql(inject("postgresUrl"))
    await administrator.rows(`DROP DATABASE ${database} WITH (FORCE)`)
    for (const role of ["owner", "app", "command", "query", "projector"]) {
      await administrator.rows(`DROP ROLE IF EXISTS ordinal_${role}_${suffix}`)
    }
    await administrator.close()
  })
  const url = new URL(inject("postgresUrl"))
  url.pathname = database
  const urlFor = (role: string, password = "change me") => urlOf(`ordinal_${role}_${suffix}`, password, database)
  return { blocks, url: url.href, urlFor }
}

const migrate = async (environment: Environment) => {
  const { exit, output } = launch(environment, ["migrate"])
  assert.deepStrictEqual(await exit, { code: 0, signal: null }, output())
  return output().trim()
}

const forbidden = async (url: string, statement: string) => {
  const message = await sql(url)
    .rows(statement)
    .then(() => "it is allowed", causeText)
  assert.match(message, /permission denied|must be owner/, statement)
}

it("a server with the rights of the documented role starts, takes commands and keeps views, and can do no more", async () => {
  const { blocks, urlFor } = await prepare()
  const [grants = []] = blocks
  const [ownerUrl, appUrl] = [urlFor("owner"), urlFor("app", "change me too")]

  // Before the owner has migrated, the application can't start, and says what to do.
  const tooEarly = await refusal(launch({ DATABASE_URL: appUrl, PORT: "0", ADMIN_PORT: "0" }))
  assert.match(tooEarly, /needs migrations 1 \(log\), .* may not apply .* run `ordinal migrate` .* owner/)
  assert.match(await migrate({ DATABASE_URL: ownerUrl }), /^Migrated the database: 1 \(log\), .*\.$/)
  assert.strictEqual(await migrate({ DATABASE_URL: ownerUrl }), "Nothing is left to migrate.")
  const ungranted = await refusal(launch({ DATABASE_URL: appUrl, PORT: "0", ADMIN_PORT: "0" }))
  assert.match(ungranted, /may not read the database's schema .* docs\/operating\.md/)
  const ownerSql = sql(ownerUrl)
  for (const statement of [...grants, ...grants]) await ownerSql.rows(statement)
  await ownerSql.close()

  const { adminUrl, output, stop, url } = await server({ DATABASE_URL: appUrl, AUDIT_EVERY: "1 second" })
  await fillCatalog(url)
  const headers = { prefer: "wait=30", "idempotency-key": "once" }
  const placed = await call(url, "POST", "/orders", { body: placement(), headers })
  assert.strictEqual(placed.status, 201)
  const { orderId } = placed.body as { readonly orderId: string }
  const shipped = await call(url, "POST", `/orders/${orderId}/shipments`, { body: { carrier: "DHL" }, headers })
  assert.strictEqual(shipped.status, 200, JSON.stringify(shipped.body))
  assert.lengthOf(await list(url), 1)
  for (const change of ["pause", "resume"]) {
    assert.strictEqual((await call(adminUrl, "POST", `/admin/projections/order-view/${change}`)).status, 200)
  }
  await untilSo(async () => {
    const { body } = await call(url, "GET", "/projections")
    return (body.data as ReadonlyArray<{ readonly status: string }>).every(({ status }) => status === "live")
  })
  const appSql = sql(appUrl)
  await appSql.rows("DELETE FROM ordinal.commands WHERE recorded_at < now() - interval '1 year'")
  assert.deepStrictEqual(await stop(), { code: 0, signal: null })
  assert.notMatch(output(), /permission denied|must be owner/)

  for (const statement of [
    "UPDATE ordinal.events SET type = 'x'",
    "DELETE FROM ordinal.events",
    "INSERT INTO ordinal.events SELECT * FROM ordinal.events",
    "UPDATE ordinal.log_head SET position = 0",
    "DELETE FROM ordinal.migrations",
    "CREATE TABLE ordinal.mine (id int)",
    "DROP TABLE ordinal.events"
  ]) {
    await forbidden(appUrl, statement)
  }
})

it("processes with a role each have rights of their own, as documented, and a process for queries can write nothing", async () => {
  const { blocks, url, urlFor } = await prepare()
  const grants = blocks.find(([first]) => first?.startsWith("CREATE ROLE ordinal_command")) ?? []
  await migrate({ DATABASE_URL: urlFor("owner") })
  const superuser = sql(url)
  for (const statement of grants) await superuser.rows(statement)
  const [command, query, projector] = await Promise.all(
    ["command", "query", "projector"].map((role) =>
      server({ DATABASE_URL: urlFor(role), ROLE: role, AUDIT_EVERY: "1 second", IDLE: "1 second" })
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
  for (const own of all.slice(1))
    await forbidden(own, "SELECT ordinal.append_batch(NULL, NULL, NULL, NULL, NULL, NULL)")
})
