import { assert, it } from "@effect/vitest"
import { onTestFinished } from "vitest"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { orderView, start } from "../../../../harness/servers/AdminServer.ts"

it("a projection that does not say what its rows should be refuses an audit, and shows no report of one", async () => {
  const { audit: _, ...unaudited } = OrderViewProjection
  const shop = await start(unaudited)
  onTestFinished(shop.stop)
  const refused = await shop.operators.send("POST", "/admin/projections/order-view/audit", { streams: 1 })
  assert.deepStrictEqual([refused.status, refused.body.type], [409, "/problems/audit-refused"])
  assert.isUndefined(orderView(await shop.operators.get("/admin/projections")).audit)
})
