import { assert, it } from "vitest"
import { call, fillCatalog, list } from "../../harness/clients/HttpClient.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"

it("two servers on two schemas of one database (DATABASE_SCHEMA) have nothing in common", async () => {
  const database = await freshDatabase()
  // They migrate at the same time.
  const [north, south] = await Promise.all(
    ["north", "order"].map((schema) => server({ DATABASE_URL: database, DATABASE_SCHEMA: schema }))
  )
  for (const [orders, { url }] of [north!, south!].entries()) {
    await fillCatalog(url)
    for (let count = 0; count <= orders; count++) {
      const headers = { prefer: "wait=30", "idempotency-key": `${count}` }
      assert.strictEqual((await call(url, "POST", "/orders", { body: placement(), headers })).status, 201)
    }
  }
  assert.lengthOf(await list(north!.url), 1)
  assert.lengthOf(await list(south!.url), 2)
  const schemas = await sql(database).rows(
    "SELECT nspname AS name FROM pg_namespace WHERE nspname IN ('north', 'order', 'ordinal') ORDER BY 1"
  )
  assert.deepStrictEqual(schemas, [{ name: "north" }, { name: "order" }])
})
