import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { OpenApi } from "effect/http-api"
import { AdminApi } from "../../../../src/http/admin/AdminApi.ts"
import { Database } from "../../../../src/database/Database.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import * as RebuildRows from "../../../../src/projection/rebuild/RebuildRows.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { until } from "../../../../harness/clocks/Until.ts"
import { metric, orderView, place, type Shop, start } from "../../../../harness/servers/AdminServer.ts"

const { version: current } = OrderViewProjection
const begin = "/admin/projections/order-view/rebuild"
const progress = `orders_rebuild_progress_ratio{projection="order-view"}`

describe("a rebuild over HTTP", () => {
  let shop: Shop
  beforeAll(async () => {
    shop = await start()
    for (let order = 0; order < 5; order++) await place(shop, "wait")
  })
  afterAll(() => shop.stop())

  it("is accepted with the place where its progress is, and completes there", async () => {
    const begun = await shop.operators.send("POST", begin, { compare: "all" })
    assert.strictEqual(begun.status, 202, begun.text)
    const location = begun.headers.get("location") ?? ""
    assert.strictEqual(location, `/admin/rebuilds/${begun.body.id}`)
    assert.containSubset(begun.body, { projection: "order-view", state: "running", from: 0, position: 0 })
    const done = await until(
      () => shop.operators.get(location),
      ({ body }) => body.state !== "running"
    )
    assert.containSubset(done.body, { state: "completed", compared: 5, different: 0, target: done.body.position })
    assert.isString(done.body.finishedAt)
    assert.strictEqual(await metric(shop, progress), 1)
    const again = await shop.operators.send("POST", `${location}/pause`)
    assert.deepStrictEqual([again.status, again.body.type], [409, "/problems/rebuild-refused"])
  })

  it("at a given rate shows rate and remaining time; is paused, resumed and aborted; there is one at a time", async () => {
    // Two events each: at that rate it takes a minute, however slowly the rest of this goes.
    await Promise.all(Array.from({ length: 60 }, () => place(shop)))
    const { body } = await shop.operators.send("POST", begin, { eventsPerSecond: 2 })
    const at = `/admin/rebuilds/${body.id}`
    const under = await until(
      () => shop.operators.get(at),
      ({ body }) => body.rate > 0
    )
    assert.isAbove(under.body.etaSeconds, 0)
    const ratio = (await metric(shop, progress)) ?? 1
    assert.isTrue(ratio > 0 && ratio < 1, String(ratio))
    const projection = orderView(await shop.operators.get("/admin/projections"))
    assert.containSubset(projection, { status: "rebuilding", rebuildId: body.id })

    const second = await shop.operators.send("POST", begin)
    assert.deepStrictEqual([second.status, second.body.type], [409, "/problems/rebuild-refused"])
    assert.strictEqual(second.body.id, body.id)
    assert.match(second.body.detail, /under way; wait for it or abort it/)

    assert.strictEqual((await shop.operators.send("POST", `${at}/pause`)).body.state, "paused")
    const [newest] = (await shop.operators.get("/admin/rebuilds")).body.data
    assert.containSubset(newest, { id: body.id, state: "paused" })
    assert.strictEqual((await shop.operators.send("POST", `${at}/resume`)).body.state, "running")
    const aborted = await shop.operators.send("DELETE", at)
    assert.deepStrictEqual([aborted.status, aborted.body.state], [200, "aborted"])
    assert.strictEqual((await shop.operators.send("DELETE", at)).status, 409)
    assert.strictEqual((await shop.operators.send("POST", begin)).status, 202)
  })

  it("that gave way to another version is replaced, which the definition lists among the states", async () => {
    const replaced = await shop.run(
      Effect.gen(function* () {
        const { projections: sql } = yield* Database
        const rebuilds = yield* Rebuilds
        const [underWay] = yield* rebuilds.list
        yield* Effect.ignore(rebuilds.abort(underWay!.id))
        for (const version of [current + 1, current + 2])
          yield* RebuildRows.requestVersion(sql, { ...OrderViewProjection, version })
        const [newest, replaced] = yield* rebuilds.list
        yield* rebuilds.abort(newest!.id)
        // As an older version of this program puts it on record.
        yield* sql`INSERT INTO ordinal.rebuilds (projection, version, state, problem, target, started_at, finished_at)
          VALUES ('order-view', 1, 'aborted', 'replaced by a rebuild of version 2', 0, now(), now())`
        return replaced!.id
      })
    )
    const { body } = await shop.operators.get(`/admin/rebuilds/${replaced}`)
    assert.containSubset(body, {
      state: "replaced",
      version: current + 1,
      problem: `replaced by a rebuild of version ${current + 2}`
    })
    assert.isString(body.finishedAt)
    const refused = await shop.operators.send("POST", `/admin/rebuilds/${replaced}/resume`)
    assert.deepStrictEqual([refused.status, refused.body.type], [409, "/problems/rebuild-refused"])
    const { data } = (await shop.operators.get("/admin/rebuilds")).body
    const states = data.map(({ state }: { readonly state: string }) => state)
    assert.includeMembers(states, ["replaced", "aborted"])
    const { components } = OpenApi.fromApi(AdminApi)
    const listed = ["running", "paused", "blocked", "completed", "aborted", "replaced"]
    assert.containSubset(components.schemas["Rebuild"], { properties: { state: { enum: listed } } })
    assert.strictEqual((await shop.operators.send("POST", begin)).status, 202)
  })
})
