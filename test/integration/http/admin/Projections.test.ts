import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { until } from "../../../../harness/clocks/Until.ts"
import { metric, orderView, place, type Shop, start } from "../../../../harness/servers/AdminServer.ts"

const adapters = { postgres: freshDatabase, pglite: Effect.succeed("pglite:memory") }
const at = "/admin/projections/order-view"

describe.each(Object.entries(adapters))("an operator's view of projections on %s", (_, database) => {
  let shop: Shop
  beforeAll(async () => {
    shop = await start(undefined, database)
  })
  afterAll(() => shop.stop())

  const publicly = async () => orderView(await shop.api.get("/projections"))
  const listed = async () => orderView(await shop.operators.get("/admin/projections"))

  it("shows everybody how far each is, and no more than that", async () => {
    await place(shop, "wait")
    const state = await until(publicly, ({ behind }) => behind === 0)
    const { updatedAt, ...rest } = state
    assert.match(updatedAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.deepStrictEqual(rest, {
      name: "order-view",
      version: OrderViewProjection.version,
      status: "live",
      position: rest.head,
      head: rest.head,
      behind: 0,
      lag: 0
    })
    assert.isAbove(rest.head, 0)
  })

  it("pauses it: it applies nothing, its lag grows; resumed it catches up", async () => {
    const { position } = await until(publicly, ({ behind }) => behind === 0)
    const paused = await shop.operators.send("POST", `${at}/pause`)
    assert.deepStrictEqual([paused.status, paused.body.status], [200, "paused"])
    await place(shop)
    const state = await publicly()
    assert.containSubset(state, { status: "paused", position, head: position + 2, behind: 2 })
    assert.isAbove(state.lag, 0)
    assert.strictEqual(await metric(shop, `orders_projection_lag_events{projection="order-view"}`), 2)
    assert.isAbove((await metric(shop, `orders_projection_lag_seconds{projection="order-view"}`)) ?? 0, 0)
    assert.strictEqual((await shop.operators.send("POST", `${at}/pause`)).status, 200)

    const resumed = await shop.operators.send("POST", `${at}/resume`)
    assert.strictEqual(resumed.status, 200)
    assert.notStrictEqual(resumed.body.status, "paused")
    await until(publicly, ({ behind, status }) => behind === 0 && status === "live")
    assert.strictEqual(await metric(shop, `orders_projection_position{projection="order-view"}`), position + 2)
  })

  it("rewinds no projection, whose rows would get the same events twice", async () => {
    const refused = await shop.operators.send("POST", `${at}/rewind`, { to: "start" })
    assert.deepStrictEqual([refused.status, refused.body.type], [409, "/problems/rewind-refused"])
    assert.include(refused.body.detail, "order-view")
  })

  it("finds a row that was changed by hand, says where it parts, and puts it right", async () => {
    const orderId = await place(shop, "wait")
    const streamId = `order-${orderId}`
    const whole = await shop.operators.send("POST", `${at}/audit`, { streams: 50 })
    assert.deepStrictEqual(whole.body.data, [])
    assert.isAbove(whole.body.compared, 0)
    await shop.run(
      Effect.flatMap(
        Database,
        ({ reads }) => reads`UPDATE ordinal.order_view SET status = 'bent' WHERE order_id = ${orderId}`
      )
    )
    const { body } = await shop.operators.send("POST", `${at}/audit`, { streamId })
    const [difference] = body.data
    assert.strictEqual(body.compared, 1)
    assert.containSubset(difference, { streamId, kind: "different", field: "status", inView: "bent" })
    assert.isNumber(difference.event.position)
    assert.deepStrictEqual((await listed()).audit.differences, [difference])
    assert.strictEqual(await metric(shop, `orders_drift_found_total{projection="order-view"}`), 1)

    const repaired = await shop.operators.send("POST", `${at}/repair`, { streamId })
    assert.containSubset(repaired.body, { repaired: true, difference: { field: "status" } })
    assert.deepStrictEqual((await shop.operators.send("POST", `${at}/repair`, { streamId })).body, { repaired: false })
    assert.strictEqual((await shop.api.get(`/orders/${orderId}`)).body.status, "confirmed")
    assert.containSubset((await listed()).audit, { found: 1, repaired: 1, differences: [] })
    assert.strictEqual(await metric(shop, `orders_drift_repaired_total{projection="order-view"}`), 1)
  })

  it("finds a row of an order that was never placed, and does away with it", async () => {
    const orderId = await place(shop, "wait")
    const streamId = "order-ord_nobody"
    await shop.run(
      Effect.flatMap(
        Database,
        ({
          reads
        }) => reads`INSERT INTO ordinal.order_view SELECT 'ord_nobody', version, "position", customer_id, status,
            payment_status, placed_at, updated_at, state
          FROM ordinal.order_view WHERE order_id = ${orderId}`
      )
    )
    const { body } = await shop.operators.send("POST", `${at}/audit`, { streamId })
    assert.containSubset(body.data, [{ streamId, kind: "extra", field: "", inView: { status: "confirmed" } }])
    assert.deepStrictEqual((await listed()).audit.differences, body.data)
    const repaired = await shop.operators.send("POST", `${at}/repair`, { streamId })
    assert.containSubset(repaired.body, { repaired: true, difference: { kind: "extra" } })
    const gone = await shop.operators.send("POST", `${at}/audit`, { streamId })
    assert.deepStrictEqual([gone.status, gone.body.type], [404, "/problems/stream-not-found"])
  })

  it("finds a row that is missing, and puts it back", async () => {
    const orderId = await place(shop, "wait")
    const streamId = `order-${orderId}`
    await shop.run(
      Effect.flatMap(Database, ({ reads }) => reads`DELETE FROM ordinal.order_view WHERE order_id = ${orderId}`)
    )
    const { body } = await shop.operators.send("POST", `${at}/audit`, { streamId })
    assert.containSubset(body.data, [{ streamId, kind: "missing", inLog: { status: "confirmed" } }])
    assert.isNull(body.data[0].inView)
    assert.deepStrictEqual((await listed()).audit.differences, body.data)
    const repaired = await shop.operators.send("POST", `${at}/repair`, { streamId })
    assert.containSubset(repaired.body, { repaired: true, difference: { kind: "missing" } })
    assert.strictEqual((await shop.api.get(`/orders/${orderId}`)).status, 200)
  })

  it("refuses to repair a row that a rebuild is about to put right", async () => {
    const streamId = `order-${await place(shop, "wait")}`
    const rebuild = await shop.operators.send("POST", `${at}/rebuild`, { eventsPerSecond: 1 })
    const refused = await shop.operators.send("POST", `${at}/repair`, { streamId })
    assert.deepStrictEqual([refused.status, refused.body.type], [409, "/problems/repair-refused"])
    assert.include(refused.body.detail, "rebuild is under way")
    await shop.operators.send("DELETE", `/admin/rebuilds/${rebuild.body.id}`)
  })
})
