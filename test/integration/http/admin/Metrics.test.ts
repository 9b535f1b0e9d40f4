import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { onTestFinished } from "vitest"
import * as PostgresProxy from "../../../../harness/faults/PostgresProxy.ts"
import { Database } from "../../../../src/database/Database.ts"
import { mug, placement } from "../../../../harness/fixtures/Shop.ts"
import { followSse, followWs } from "../../../../harness/streams/StreamConnection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { until } from "../../../../harness/clocks/Until.ts"
import { metric, place, type Shop, start } from "../../../../harness/servers/AdminServer.ts"

/** Of the contract, each with the labels that it must have, and no others. */
const names: Readonly<Record<string, ReadonlyArray<string>>> = {
  http_server_request_duration_seconds_count: ["method", "route", "status"],
  orders_commands_total: ["command", "outcome"],
  orders_command_duration_seconds_count: [],
  orders_events_appended_total: ["type"],
  orders_append_batch_size_count: [],
  orders_append_conflicts_total: [],
  orders_log_head_position: [],
  orders_projection_position: ["projection"],
  orders_projection_lag_events: ["projection"],
  orders_projection_lag_seconds: ["projection"],
  orders_projection_failures_total: ["projection"],
  orders_parked_streams: ["projection"],
  orders_rebuild_progress_ratio: ["projection"],
  orders_actors_active: [],
  orders_actors_bytes: [],
  orders_mailbox_depth: [],
  orders_activations_total: ["source"],
  orders_stream_connections: ["transport"],
  orders_consistency_wait_seconds_count: ["outcome"],
  orders_streams_audited_total: ["projection"],
  orders_drift_found_total: ["projection"],
  orders_drift_repaired_total: ["projection"]
}

const series = (text: string) =>
  text.split("\n").flatMap((line) => {
    const match = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (match === null) return []
    const [, name = "", labels = "", value] = match
    return [
      { name, labels: [...labels.matchAll(/(\w+)="[^"]*"/g)].map(([, label = ""]) => label), value: Number(value) }
    ]
  })

/** Resolves when a read that is sent from now on waits for the view: as long as one does, the checkpoints are read. */
const readWaits = async (shop: Shop) => {
  const sql = await shop.run(Effect.map(Database, ({ projections }) => projections))
  const [row] = await shop.run(sql<{ readonly now: string }>`SELECT clock_timestamp()::text AS now`)
  const looks = sql`SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'ordinal-reads'
      AND query LIKE '%SELECT c.projection% FROM ordinal.checkpoints c%'
      AND query_start > ${row!.now}::text::timestamptz ORDER BY pid`
  return () =>
    until(
      () => shop.run(looks),
      (found) => found.length > 0
    )
}

describe("metrics", () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await start()
  })
  afterAll(() => shop.stop())

  const commands = (command: string, outcome: string) =>
    metric(shop, `orders_commands_total{command="${command}",outcome="${outcome}"}`)

  it("are all there after a little traffic, with the contract's names and labels, and never name an order", async () => {
    const orderId = await place(shop, "wait")
    const { headers, text } = await shop.operators.get("/metrics")
    assert.strictEqual(headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8")
    const found = series(text)
    for (const [name, labels] of Object.entries(names)) {
      const own = found.filter((one) => one.name === name)
      assert.isNotEmpty(own, name)
      for (const one of own) assert.deepStrictEqual(one.labels, [...labels], name)
      assert.isTrue(
        own.every(({ value }) => Number.isFinite(value)),
        name
      )
    }
    assert.notInclude(text, orderId)
    assert.notMatch(text, /"ada"|"mug"/)
    for (const line of text.split("\n")) assert.match(line, /^(# (HELP|TYPE) [a-z0-9_]+ .+|[a-z0-9_]+(\{.*\})? \S+|)$/)
  })

  it("count each command once, by what became of it", async () => {
    const before = (await commands("PlaceOrder", "accepted")) ?? 0
    const key = { "idempotency-key": "once" }
    const placed = await shop.api.send("POST", "/orders", placement(), key)
    await shop.api.send("POST", "/orders", placement(), key)
    await shop.api.send("POST", "/orders", placement({ lines: [{ productId: "mug", quantity: 3 }] }), key)
    const at = `/orders/${placed.body.orderId}`
    assert.strictEqual(await commands("PlaceOrder", "accepted"), before + 1)
    assert.strictEqual(await commands("PlaceOrder", "replayed"), 1)
    assert.strictEqual(await commands("PlaceOrder", "conflict"), 1)
    await shop.api.send("POST", "/orders", placement({ customerId: "nobody" }))
    assert.strictEqual(await commands("PlaceOrder", "rejected"), 1)
    await shop.api.send("POST", `${at}/confirm`)
    assert.strictEqual(await commands("ConfirmOrder", "unchanged"), 1)
    await shop.api.send("POST", `${at}/shipments`, {}, { "if-match": '"9"' })
    assert.strictEqual(await commands("ShipItems", "conflict"), 1)
    await shop.api.send("POST", `${at}/shipments`, {})
    assert.strictEqual(await commands("ShipItems", "accepted"), 1)
    await shop.api.send("POST", `${at}/cancel`, { reason: "other" })
    assert.strictEqual(await commands("CancelOrder", "rejected"), 1)
  })

  it("count stored events by type, and loaded actors by what from", async () => {
    const read = (): Promise<ReadonlyArray<number | undefined>> =>
      Promise.all([
        metric(shop, `orders_events_appended_total{type="order.placed.v1"}`),
        metric(shop, `orders_events_appended_total{type="product.saved.v1"}`),
        metric(shop, `orders_activations_total{source="new"}`),
        metric(shop, `orders_activations_total{source="log"}`)
      ])
    const before = await read()
    await place(shop)
    await shop.api.send("PUT", "/products/tea", mug)
    assert.deepStrictEqual(
      await read(),
      before.map((count) => (count ?? 0) + 1)
    )
  })

  it("time requests by route, never by path", async () => {
    const orderId = await place(shop, "wait")
    const count = (labels: string) => metric(shop, `http_server_request_duration_seconds_count{${labels}}`)
    const found = `method="GET",route="/orders/:id",status="200"`
    const before = (await count(found)) ?? 0
    await shop.api.get(`/orders/${orderId}`)
    assert.strictEqual(await count(found), before + 1)
    await shop.api.get("/orders/x")
    assert.strictEqual(await count(`method="GET",route="/orders/:id",status="400"`), 1)
    await shop.api.get("/no/such/path")
    assert.strictEqual(await count(`method="GET",route="none",status="404"`), 1)
    await shop.api.get("/docs")
    assert.strictEqual(await count(`method="GET",route="/docs",status="200"`), 1)
  })

  it("say how long reads waited for the view, and whether in vain", async () => {
    const waited = (outcome: string) => metric(shop, `orders_consistency_wait_seconds_count{outcome="${outcome}"}`)
    const at = "/admin/projections/order-view"
    const behind = (await waited("behind")) ?? 0
    const reached = (await waited("reached")) ?? 0
    await shop.operators.send("POST", `${at}/pause`)
    const { body, headers } = await shop.api.send("POST", "/orders", placement())
    const token = { "consistency-token": headers.get("consistency-token") ?? "" }
    const early = await shop.api.get(`/orders/${body.orderId}`, { ...token, prefer: "wait=0" })
    assert.strictEqual(early.status, 503)
    assert.strictEqual(await waited("behind"), behind + 1)
    const waiting = await readWaits(shop)
    const late = shop.api.get(`/orders/${body.orderId}`, { ...token, prefer: "wait=30" })
    await waiting()
    await shop.operators.send("POST", `${at}/resume`)
    assert.strictEqual((await late).status, 200)
    assert.strictEqual(await waited("reached"), reached + 1)
  })

  it("count a caller who hangs up as 499, and a wait for the view as abandoned", async () => {
    const at = "/admin/projections/order-view"
    const count = (status: string) =>
      metric(shop, `http_server_request_duration_seconds_count{method="GET",route="/orders",status="${status}"}`)
    const abandoned = () => metric(shop, `orders_consistency_wait_seconds_count{outcome="abandoned"}`)
    assert.strictEqual(await abandoned(), 0)
    await shop.operators.send("POST", `${at}/pause`)
    const { headers } = await shop.api.send("POST", "/orders", placement())
    const token = { "consistency-token": headers.get("consistency-token") ?? "", prefer: "wait=30" }
    const caller = new AbortController()
    const waiting = await readWaits(shop)
    const read = fetch(`${shop.api.url}/orders`, { headers: token, signal: caller.signal }).then(
      () => "answered",
      () => "gone"
    )
    await waiting()
    caller.abort()
    assert.strictEqual(await read, "gone")
    await until(abandoned, (found) => found === 1)
    await until(
      () => count("499"),
      (found) => found === 1
    )
    assert.isUndefined(await count("503"))
    await shop.operators.send("POST", `${at}/resume`)
  })

  it("count open event streams by transport", async () => {
    const open = () =>
      Promise.all(["sse", "websocket"].map((name) => metric(shop, `orders_stream_connections{transport="${name}"}`)))
    assert.deepStrictEqual(await open(), [0, 0])
    const sse = await followSse(shop.api.url)
    const ws = await Promise.all([followWs(shop.api.url), followWs(shop.api.url)])
    assert.deepStrictEqual(await open(), [1, 2])
    for (const follower of [sse, ...ws]) follower.cut()
    await until(open, ([first, second]) => first === 0 && second === 0)
  })
})

describe("metrics while the database is away", () => {
  it("are all but those that only it knows", async () => {
    let goAway: Effect.Effect<void> = Effect.void
    const database = Effect.gen(function* () {
      const proxy = yield* PostgresProxy.make(yield* freshDatabase)
      goAway = proxy.goAway
      return proxy.url
    })
    const shop = await start(undefined, database)
    onTestFinished(shop.stop)
    await place(shop)
    assert.isAbove((await metric(shop, "orders_log_head_position")) ?? 0, 0)
    await Effect.runPromise(goAway)
    assert.isUndefined(await metric(shop, "orders_log_head_position"))
    assert.isUndefined(await metric(shop, `orders_projection_position{projection="order-view"}`))
    assert.strictEqual(await metric(shop, `orders_commands_total{command="PlaceOrder",outcome="accepted"}`), 1)
    assert.isAbove((await metric(shop, "orders_actors_active")) ?? 0, 0)
  })
})
