import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { onTestFinished } from "vitest"
import { Database } from "../../../../src/database/Database.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { poisoned } from "../../../../harness/faults/PoisonedView.ts"
import { until } from "../../../../harness/clocks/Until.ts"
import { metric, orderView, place, start } from "../../../../harness/servers/AdminServer.ts"

/** A shop of which an order's cancellation can't be projected, and that order, shipped besides. */
const withParked = async () => {
  const { projection, state } = poisoned(({ type }) => type === "OrderCancelled")
  const shop = await start(projection)
  onTestFinished(shop.stop)
  const orderId = await place(shop, "wait")
  const other = await place(shop, "wait")
  await shop.api.send("POST", `/orders/${orderId}/cancel`, { reason: "other" })
  const parked = async () => (await shop.operators.get("/admin/parked")).body.data
  const [stream] = await until(parked, ({ length }) => length > 0)
  return { shop, state, orderId, other, stream, parked }
}

describe("a parked stream over HTTP", () => {
  it("is listed with its reason and counted; a vain retry says why; after a fix retry brings it back", async () => {
    const { orderId, other, parked, shop, state, stream } = await withParked()
    assert.containSubset(stream, { projection: "order-view", streamId: `order-${orderId}`, version: 3, parked: true })
    assert.include(stream.reason, "poison")
    assert.strictEqual(await metric(shop, `orders_parked_streams{projection="order-view"}`), 1)
    assert.isAbove((await metric(shop, `orders_projection_failures_total{projection="order-view"}`)) ?? 0, 0)
    const projection = await until(
      async () => orderView(await shop.operators.get("/admin/projections")),
      ({ behind, status }) => status === "live" && behind === 0
    )
    assert.strictEqual(projection.parked, 1)

    const vain = await shop.operators.send("POST", `/admin/parked/${stream.id}/retry`)
    assert.deepStrictEqual([vain.status, vain.body.type], [409, "/problems/still-failing"])
    assert.match(vain.body.detail, /version 3 .*poison.*; retry it after a fix, or skip the event/)
    assert.strictEqual((await parked())[0].retries, 1)

    state.isFixed = true
    assert.strictEqual((await shop.operators.send("POST", `/admin/parked/${stream.id}/retry`)).status, 204)
    assert.deepStrictEqual(await parked(), [])
    assert.strictEqual((await shop.api.get(`/orders/${orderId}`)).body.status, "cancelled")
    assert.strictEqual((await shop.api.get(`/orders/${other}`)).status, 200)
    assert.strictEqual(await metric(shop, `orders_parked_streams{projection="order-view"}`), 0)
    const gone = await shop.operators.send("POST", `/admin/parked/${stream.id}/retry`)
    assert.deepStrictEqual([gone.status, gone.body.type], [404, "/problems/parked-stream-not-found"])
  })

  it("is neither retried nor skipped where another version made the view", async () => {
    const { parked, shop, state, stream } = await withParked()
    state.isFixed = true
    await shop.run(
      Effect.flatMap(
        Database,
        ({ reads }) => reads`UPDATE ordinal.checkpoints SET version = ${OrderViewProjection.version + 1}
          WHERE projection = 'order-view'`
      )
    )
    for (const what of ["retry", "skip"]) {
      const refused = await shop.operators.send(
        "POST",
        `/admin/parked/${stream.id}/${what}`,
        what === "skip" ? {} : undefined
      )
      assert.deepStrictEqual([refused.status, refused.body.type], [409, "/problems/retry-refused"])
      assert.match(refused.body.detail, /stays parked: version \d+ of the projection made its view/)
    }
    assert.containSubset(await parked(), [{ id: stream.id, version: 3, parked: true, skipped: [], retries: 0 }])
  })

  it("goes on without the event that fails if that is skipped, and is degraded from then on", async () => {
    const { orderId, parked, shop, stream } = await withParked()
    const skip = (version: number) => shop.operators.send("POST", `/admin/parked/${stream.id}/skip`, { version })
    const elsewhere = await skip(2)
    assert.deepStrictEqual([elsewhere.status, elsewhere.body.type], [409, "/problems/parked-elsewhere"])
    assert.include(elsewhere.body.detail, "is parked at its version 3, not at 2; nothing was skipped")
    assert.strictEqual((await skip(3)).status, 204)
    const [left] = await parked()
    assert.containSubset(left, { id: stream.id, parked: false, degraded: true, skipped: [3] })
    assert.containSubset((await shop.api.get(`/orders/${orderId}`)).body, { version: 3, status: "confirmed" })
  })
})
