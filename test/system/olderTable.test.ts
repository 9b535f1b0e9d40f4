/** An older program may rebuild the order view of a database of today: its table is of its own shape, and serves. */
import { assert, it } from "vitest"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { until } from "../../harness/clocks/Until.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"
import type { Sql } from "../../harness/servers/Sql.ts"
import { OrderViewProjection } from "../../src/views/order/OrderViewProjection.ts"

/** Swaps in what version 2 of the view made of the log; no rebuild for today's version puts that right meanwhile. */
const swapInOlderTable = async ({ rows }: Sql) => {
  const { version } = OrderViewProjection
  await rows(`WITH given_up AS (
      INSERT INTO ordinal.rebuilds (projection, version, state, target, started_at, finished_at)
      VALUES ('order-view', ${version}, 'aborted', 0, now(), now())
    ) UPDATE ordinal.checkpoints SET version = 2 WHERE projection = 'order-view' AND slot = 'live'`)
  await rows(`DO $body$ BEGIN
      CREATE TABLE ordinal.order_view_shadow (LIKE ordinal.order_view INCLUDING ALL);
      ALTER TABLE ordinal.order_view_shadow DROP COLUMN document, DROP COLUMN bytes;
      INSERT INTO ordinal.order_view_shadow SELECT order_id, version, "position", customer_id, status, payment_status,
        placed_at, updated_at, state FROM ordinal.order_view;
      DROP TABLE ordinal.order_view;
      ALTER TABLE ordinal.order_view_shadow RENAME TO order_view;
    END $body$`)
}

it("a table that an older program's rebuild has made is read as today's own is", async () => {
  const database = await freshDatabase()
  const { url } = await server({ DATABASE_URL: database })
  await fillCatalog(url)
  const headers = { prefer: "wait=30" }
  const { body: placed } = await call(url, "POST", "/orders", { body: placement(), headers })
  await call(url, "POST", `/orders/${placed.orderId}/confirm`, { headers })
  const paths = [`/orders/${placed.orderId}`, "/orders", "/orders?sort=updatedAt", "/orders/counts"]
  const read = () => Promise.all(paths.map((path) => call(url, "GET", path)))
  const before = await read()
  assert.deepStrictEqual(
    before.map(({ status }) => status),
    paths.map(() => 200)
  )

  const opened = sql(database)
  await swapInOlderTable(opened)
  const after = await until(read, (answers) => answers.every(({ status }) => status === 200))
  assert.deepStrictEqual(
    after.map(({ body }) => body),
    before.map(({ body }) => body)
  )
  const [{ document } = { document: "" }] = await opened.rows<{ document: string | null }>(
    `SELECT document FROM ordinal.order_view`
  )
  assert.isNull(document)
})
