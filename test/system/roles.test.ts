/** The database's roles as docs/operating.md has them: their SQL is run, with names of its own, and is enough. */
import { assert, inject, it } from "vitest"
import { call, fillCatalog, list } from "../../harness/clients/HttpClient.ts"
import { untilSo } from "../../harness/clocks/Until.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { forbidden, migrate, prepare, rebuilt, views, worksByRole } from "../../harness/servers/DatabaseRoles.ts"
import { refusal, server, sql } from "../../harness/servers/Resources.ts"
import { launch } from "../../harness/servers/ServerProcess.ts"

it("a server with the rights of the documented role starts, takes commands and keeps views, and can do no more", async () => {
  const { blocks, urlFor } = await prepare(inject("postgresUrl"))
  const [schema = [], grants = []] = blocks
  const [ownerUrl, appUrl] = [urlFor("owner"), urlFor("app", "change me too")]

  const ownerSql = sql(ownerUrl)
  for (const statement of schema) await ownerSql.rows(statement)

  // Before the owner has migrated, the application can't start, and says what to do.
  const tooEarly = await refusal(launch({ DATABASE_URL: appUrl, PORT: "0", ADMIN_PORT: "0" }))
  assert.match(tooEarly, /needs migrations 1 \(log\), .* may not apply .* run `ordinal migrate` .* owner/)
  assert.match(
    await migrate({ DATABASE_URL: ownerUrl }, "--dry-run"),
    /^`ordinal migrate` would:\napply migration 1 \(log\)\n.*\nmake the table and checkpoint of view catalog-view$/s
  )
  assert.match(await migrate({ DATABASE_URL: ownerUrl }), /^Migrated the database: 1 \(log\), .*\.$/)
  // The tables of views were made without a schema of their own, as in older databases.
  const misplaced = await refusal(launch({ ...views, DATABASE_URL: appUrl, PORT: "0", ADMIN_PORT: "0" }))
  assert.match(misplaced, /may not read the database's schema .* docs\/operating\.md/)
  assert.strictEqual(
    await migrate({ ...views, DATABASE_URL: ownerUrl }, "--dry-run"),
    "`ordinal migrate` would:\nmove table catalog_view to schema ordinal_views\nmove table order_view to schema ordinal_views"
  )
  assert.strictEqual(await migrate({ ...views, DATABASE_URL: ownerUrl }), "Nothing is left to migrate.")
  assert.strictEqual(await migrate({ ...views, DATABASE_URL: ownerUrl }, "--dry-run"), "Nothing is left to migrate.")
  const elsewhere = await refusal(launch({ DATABASE_URL: ownerUrl, PORT: "0", ADMIN_PORT: "0" }))
  assert.match(
    elsewhere,
    /not in schema ordinal, but seem to be in ordinal_views\. Give all servers the same DATABASE_VIEWS_SCHEMA/
  )
  const ungranted = await refusal(launch({ ...views, DATABASE_URL: appUrl, PORT: "0", ADMIN_PORT: "0" }))
  assert.match(ungranted, /may not read the database's schema .* docs\/operating\.md/)
  for (const statement of [...grants, ...grants]) await ownerSql.rows(statement)
  await ownerSql.close()

  const { adminUrl, output, stop, url } = await server({ ...views, DATABASE_URL: appUrl, AUDIT_EVERY: "1 second" })
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
  await rebuilt(adminUrl)
  assert.lengthOf(await list(url), 1)
  await untilSo(async () => {
    const { body } = await call(url, "GET", "/projections")
    return (body.data as ReadonlyArray<{ readonly status: string }>).every(({ status }) => status === "live")
  })
  const appSql = sql(appUrl)
  await appSql.rows("SELECT ordinal.forget_commands(interval '1 year', 10)")
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

it("processes with a role each have rights of their own, as documented, and a process for queries can write nothing", () =>
  worksByRole(inject("postgresUrl"), 18))
