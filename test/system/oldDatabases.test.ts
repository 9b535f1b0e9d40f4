/** Databases that an older program made are opened, served and rebuilt by today's, with nothing lost. */
import { assert, describe, it } from "vitest"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, history, list, orderId, type Page } from "../../harness/clients/HttpClient.ts"
import { until } from "../../harness/clocks/Until.ts"
import * as OldOrders from "../../harness/fixtures/OldOrders.ts"
import { readFixture, unpackFixture } from "../../harness/fixtures/OldProgram.ts"
import * as SqlScript from "../../harness/fixtures/SqlScript.ts"
import * as ViewJudge from "../../harness/judges/ViewJudge.ts"
import { CatalogViewProjection } from "../../src/views/catalog/CatalogViewProjection.ts"
import { OrderViewProjection } from "../../src/views/order/OrderViewProjection.ts"
import { directory, freshDatabase, server, sql } from "../../harness/servers/Resources.ts"

const answers: Readonly<Record<"pglite" | "postgres", OldOrders.OldAnswers>> = JSON.parse(
  String(await readFixture("answers.json.br"))
)

/** The stored answer to the old command is kept for as long as this repository is. */
const settings = (databaseUrl: string) => ({ DATABASE_URL: databaseUrl, IDEMPOTENCY_RETENTION: "36500 days" })

const restored = {
  pglite: async () => {
    const path = await directory()
    await unpackFixture("pglite.tar.br", path)
    return `pglite:${path}`
  },
  postgres: async () => {
    const url = await freshDatabase()
    await SqlScript.restore(sql(url), String(await readFixture("postgres.sql.br")))
    return url
  }
}

const bodyOnce = <A>(url: string, path: string, isRight: (body: A) => boolean): Promise<A> =>
  until(async () => (await call(url, "GET", path)).body as A, isRight, { pause: 50 })

/** The old program asked for the whole total, also of an order that was cancelled or came back. */
const asToday = ({ order, status }: OldOrders.OldAnswers["orders"][number]) => {
  const paid = { ...order, paymentStatus: "paid" }
  if (status === "cancelled") return paid
  if (status !== "returned") return order
  const totals = order["totals"] as Readonly<Record<string, number>>
  const owedBack = { ...totals, returned: totals["total"], owed: 0, balanceDue: -5_000 }
  return { ...paid, totals: owedBack, allowed: ["VoidPayment", "RefundPayment"] }
}

const readsOldOrders = async (url: string, { orders }: OldOrders.OldAnswers) => {
  for (const old of orders) {
    const { events, order, status } = old
    const { body } = await call(url, "GET", `/orders/${order.orderId}`)
    assert.strictEqual((body as typeof order).status, status)
    assert.containSubset(body, asToday(old))
    assert.deepStrictEqual(await history(url, String(order.orderId)), events)
  }
  const listed = (await list(url)).map((row) => row.orderId)
  for (const { order } of orders) assert.include(listed, order.orderId)
}

const replaysOldAnswer = async (url: string, { keyed }: OldOrders.OldAnswers) => {
  const { body, headers, status } = await OldOrders.keyedRequest(url)
  assert.deepStrictEqual({ status, body }, keyed)
  assert.strictEqual(headers.get("idempotent-replayed"), "true")
}

const placesNewOrder = async (url: string) => {
  const id = orderId()
  const headers = { prefer: "wait=30" }
  const { status } = await call(url, "POST", "/orders", { body: placement({ orderId: id }), headers })
  assert.strictEqual(status, 201)
  assert.include(
    (await list(url)).map((row) => row.orderId),
    id
  )
}

/** The view has a new version, so it is rebuilt by itself; the stream that was parked is part of it then. */
const rebuildsByItself = async (url: string, adminUrl: string) => {
  await bodyOnce<Page>(adminUrl, "/admin/projections", ({ data }) =>
    JSON.stringify(data).includes(`"name":"order-view","version":${OrderViewProjection.version},"status":"live"`)
  )
  assert.deepStrictEqual(await OldOrders.parkedStreams(adminUrl), [])
  assert.strictEqual((await call(url, "GET", `/orders/${OldOrders.orderIds.parked}`)).status, 200)
}

/** The catalog's view has a new version too, so its rebuild has what it lacked; but it goes on only when it is resumed. */
const resumesPausedProjection = async (url: string, adminUrl: string) => {
  await bodyOnce<Page>(adminUrl, "/admin/projections", ({ data }) =>
    JSON.stringify(data).includes(`"name":"catalog-view","version":${CatalogViewProjection.version},"status":"paused"`)
  )
  const ids = async () => JSON.stringify((await call(url, "GET", "/products?limit=100")).body)
  assert.include(await ids(), '"late"')
  const body = { name: "Mug", unitPrice: 100, currency: "EUR", taxBps: 0 }
  assert.strictEqual((await call(url, "PUT", "/products/later", { body })).status, 202)
  assert.notInclude(await ids(), '"later"')
  assert.strictEqual((await call(adminUrl, "POST", "/admin/projections/catalog-view/resume")).status, 200)
  await bodyOnce(url, "/products?limit=100", (body) => JSON.stringify(body).includes('"later"'))
}

const rebuildsOrderView = async (adminUrl: string) => {
  const { body, status } = await call(adminUrl, "POST", "/admin/projections/order-view/rebuild", { body: {} })
  assert.strictEqual(status, 202, JSON.stringify(body))
  const { id } = body as { readonly id: string }
  const isOver = ({ state }: { readonly state: string }) => state !== "running"
  const rebuild = await bodyOnce(adminUrl, `/admin/rebuilds/${id}`, isOver)
  assert.strictEqual(rebuild.state, "completed", JSON.stringify(rebuild))
}

describe.each(["pglite", "postgres"] as const)("a database of an older program, %s", (kind) => {
  it("is opened, served and rebuilt, and the rows of its orders stay as they were, but for what is paid", async () => {
    const databaseUrl = await restored[kind]()
    const before = sql(databaseUrl)
    const rowsBefore = await ViewJudge.digests(before, ViewJudge.oldColumns)
    await before.close()

    const { adminUrl, stop, url } = await server(settings(databaseUrl))
    await readsOldOrders(url, answers[kind])
    await replaysOldAnswer(url, answers[kind])
    await placesNewOrder(url)
    await rebuildsByItself(url, adminUrl)
    await resumesPausedProjection(url, adminUrl)
    await rebuildsOrderView(adminUrl)
    await stop()

    const after = sql(databaseUrl)
    const { faults, orders } = await ViewJudge.judge(after)
    assert.deepStrictEqual(faults, [])
    // Besides those whose answers are kept there are the keyed, the parked and the new order.
    assert.strictEqual(orders, answers[kind].orders.length + 3)
    const rows = await ViewJudge.digests(after, ViewJudge.oldColumns)
    const changed = new Set<unknown>(
      answers[kind].orders.filter((old) => asToday(old) !== old.order).map(({ order }) => order["orderId"])
    )
    for (const [order, digest] of rowsBefore) {
      if (!changed.has(order)) assert.strictEqual(rows.get(order), digest, order)
    }
  })
})
