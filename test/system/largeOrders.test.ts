import { assert, it } from "vitest"
import { address } from "../../harness/fixtures/Shop.ts"
import { call, orderId } from "../../harness/clients/HttpClient.ts"
import { node } from "../../harness/servers/ServerProcess.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"

const lines = 500
const orders = 150
const [executable, ...flags] = node
const smallHeap = [executable!, "--max-old-space-size=96", ...flags]

interface Status {
  readonly data: ReadonlyArray<{ readonly name: string; readonly behind: number; readonly status: string }>
}

/** An order as large as one can be, about 250 KB in the log and in the view. */
const placeLargest = async (url: string, order: string) => {
  const product = { name: "ä".repeat(200), unitPrice: 1, currency: "EUR", taxBps: 0 }
  await call(url, "PUT", "/products/largest", { body: product })
  await call(url, "PUT", "/customers/ada", { body: { name: "Ada", email: "ada@example.org" } })
  const { status } = await call(url, "POST", "/orders", {
    body: {
      orderId: order,
      customerId: "ada",
      currency: "EUR",
      lines: Array.from({ length: lines }, () => ({ productId: "largest", quantity: 1 })),
      shippingAddress: address
    },
    headers: { prefer: "wait=30" }
  })
  assert.strictEqual(status, 201)
}

/** Puts an order in the log once more under each of the ids; the view is to be made anew. */
const copies = (order: string, ids: ReadonlyArray<string>) => [
  `INSERT INTO ordinal.events
    SELECT head."position" + (copy.number - 1) * 2 + e.version, 'order-' || copy.id, e.version, gen_random_uuid(), e.type,
      e.schema_version, replace(e.data::text, '${order}', copy.id)::jsonb, e.metadata, e.recorded_at
    FROM ordinal.events e, ordinal.log_head head,
      unnest(ARRAY['${ids.join("','")}']) WITH ORDINALITY AS copy (id, number)
    WHERE e.stream_id = 'order-${order}' ORDER BY copy.number, e.version`,
  `UPDATE ordinal.log_head SET "position" = (SELECT max("position") FROM ordinal.events)`,
  `TRUNCATE ordinal.order_view`,
  `DELETE FROM ordinal.checkpoints WHERE projection = 'order-view'`
]

it("the view of many of the largest orders is made in a small memory", async () => {
  const database = await freshDatabase()
  const order = orderId()
  const first = await server({ DATABASE_URL: database })
  await placeLargest(first.url, order)
  await first.stop()
  const at = sql(database)
  for (const statement of copies(order, Array.from({ length: orders }, orderId))) await at.rows(statement)

  const { output, url } = await server({ DATABASE_URL: database }, smallHeap)
  const view = async () => {
    const { data } = (await call(url, "GET", "/projections")).body as Status
    return data.find(({ name }) => name === "order-view") ?? assert.fail("no order view")
  }
  let { behind, status } = await view()
  while ((behind > 0 || status !== "live") && status !== "stopped") ({ behind, status } = await view())

  assert.strictEqual(status, "live", output())
  assert.include((await call(url, "GET", "/orders/counts")).body, { confirmed: orders + 1 })
})
