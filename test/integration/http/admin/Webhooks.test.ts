/** Webhooks as operators manage them, and as a subscriber sees what they do. */
import { afterAll, afterEach, assert, beforeAll, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { untilSo, until } from "../../../../harness/clocks/Until.ts"
import { metric, place, type Shop, start } from "../../../../harness/servers/AdminServer.ts"
import { type Received, start as startReceiver } from "../../../../harness/webhooks/Receiver.ts"

/** A delivery, of what the operator is shown. */
interface Delivery {
  readonly version: number
  readonly state: string
}

const unknown = "01890000-0000-7000-8000-000000000000"
const paused = { firstPause: Duration.millis(5), longestPause: Duration.millis(20), awayPause: Duration.millis(20) }

let shop: Shop
let receiver: Awaited<ReturnType<typeof startReceiver>>
let answer: number
let secret: string
const came: Array<Received> = []
const signatures: Array<number> = []

beforeAll(async () => {
  shop = await start(undefined, undefined, {
    ...paused,
    endpoints: 3,
    allowHttp: true,
    allowedNetworks: ["127.0.0.1"]
  })
  receiver = await startReceiver({
    secret: () => secret,
    answer: ({ event, headers }) => {
      signatures.push(String(headers["webhook-signature"]).split(" ").length)
      if (event === undefined) return 401
      if (answer < 300) came.push(event)
      return answer
    }
  })
})
afterAll(async () => {
  await receiver.stop()
  await shop.stop()
})

/** No endpoint of a test that failed disturbs the next one. */
afterEach(async () => {
  const { body } = await shop.operators.get("/admin/webhooks")
  for (const { id } of body.data) await shop.operators.send("DELETE", `/admin/webhooks/${id}`)
})

const { assign } = Object

/** An endpoint of one's own; gives its path. */
const made = async (body: object = {}) => {
  assign(came, { length: 0 })
  answer = 204
  const {
    body: webhook,
    headers,
    status
  } = await shop.operators.send("POST", "/admin/webhooks", {
    url: receiver.url,
    ...body
  })
  assert.strictEqual(status, 201)
  secret = webhook.secret
  const path = headers.get("location")!
  assert.strictEqual(path, `/admin/webhooks/${webhook.id}`)
  return { path, id: webhook.id as string }
}
const removed = (path: string) => shop.operators.send("DELETE", path)
const arrived = (count: number) => untilSo(() => came.length === count)
const show = async (path: string) => (await shop.operators.get(path)).body

describe("a webhook over HTTP", () => {
  it("is made with a secret that is shown once, listed, shown, changed and deleted", async () => {
    const { id, path } = await made({ types: ["order.placed"], description: "the warehouse" })
    assert.match(secret, /^whsec_/)
    const shown = await show(path)
    const expected = { id, url: receiver.url, types: ["order.placed"], description: "the warehouse", isEnabled: true }
    assert.deepInclude(shown, expected)
    const { text } = await shop.operators.get("/admin/webhooks")
    assert.include(text, id)
    assert.notInclude(text, secret)
    assert.notInclude(text, "secret")

    const orderId = await place(shop)
    await shop.api.send("POST", `/orders/${orderId}/cancel`, { reason: "other" })
    await arrived(1)
    const changed = await shop.operators.send("PATCH", path, { types: [], description: "all" })
    assert.deepInclude(changed.body, { types: [], description: "all", url: receiver.url })
    const other = await place(shop)
    await until(
      () => came.map(({ subject }) => subject),
      (subjects) => subjects.includes(other)
    )
    assert.deepInclude(came[0], { subject: orderId, type: "order.placed.v1", streamversion: 1 })

    assert.strictEqual((await removed(path)).status, 204)
    assert.strictEqual((await shop.operators.get(path)).status, 404)
    assert.deepStrictEqual((await show("/admin/webhooks")).data, [])
  })

  it("lists its deliveries, delivers one again, and all behind a token", async () => {
    const { path } = await made()
    const orderId = await place(shop)
    const cancelled = await shop.api.send("POST", `/orders/${orderId}/cancel`, { reason: "other" })
    await until(
      () => show(`${path}/deliveries`),
      ({ data }) =>
        data.some(({ version }: Delivery) => version === cancelled.body.version) &&
        data.every(({ state }: Delivery) => state === "delivered")
    )
    const { data } = await show(`${path}/deliveries?limit=1`)
    assert.lengthOf(data, 1)
    const [last] = data
    assert.deepInclude(last, { streamId: `order-${orderId}`, state: "delivered", attempts: 1, status: 204 })
    assert.notInclude(Object.keys(last), "nextAt")
    const { data: before } = await show(`${path}/deliveries?before=${last.position}`)
    assert.isAbove(before.length, 0)
    const count = came.length

    const again = await shop.operators.send("POST", `${path}/deliveries/${last.eventId}/replay`)
    assert.deepInclude(again.body, { eventId: last.eventId, state: "pending" })
    await arrived(count + 1)
    assert.strictEqual(came.at(-1)?.id, last.eventId)

    const replayed = await shop.operators.send("POST", `${path}/replay`, { after: "start" })
    assert.strictEqual(replayed.status, 200)
    // The whole log, of which the endpoint was told nothing before.
    await until(
      () => new Set(came.map(({ id }) => id)).size,
      (size) => size > count
    )
    await until(
      () => show(path),
      ({ behind, pending }) => behind === 0 && pending === 0
    )
    const [first] = came.slice(count + 1)
    assert.strictEqual(first?.streamversion, 1)
    await removed(path)
  })

  it("signs by both secrets after a rotation", async () => {
    const { path } = await made()
    const old = secret
    const { body } = await shop.operators.send("POST", `${path}/rotate-secret`)
    assert.match(body.secret, /^whsec_/)
    assert.notStrictEqual(body.secret, old)
    assert.isString(body.previousUntil)
    // The receiver has the old secret still.
    await place(shop)
    await until(
      () => came.length,
      (length) => length > 0
    )
    assert.strictEqual(signatures.at(-1), 2)
    secret = body.secret
    const before = came.length
    await place(shop)
    await until(
      () => came.length,
      (length) => length > before
    )
    await removed(path)
  })

  it("is disabled by its receiver or by an operator, which a metric and its problem tell, and goes on when enabled", async () => {
    const { id, path } = await made()
    const series = (name: string) => metric(shop, `orders_webhook_${name}{endpoint="${id}"}`)
    assert.strictEqual(await series("enabled"), 1)
    answer = 410
    await place(shop)
    const { problem } = await until(
      () => show(path),
      ({ isEnabled }) => isEnabled === false
    )
    assert.match(problem, /410 Gone/)
    assert.strictEqual(await series("enabled"), 0)
    assert.isAbove((await series("pending")) ?? 0, 0)
    assert.isAbove((await series("lag_seconds")) ?? 0, 0)
    answer = 204
    assert.deepInclude((await shop.operators.send("POST", `${path}/enable`)).body, { isEnabled: true })
    await until(
      () => show(path),
      ({ behind, pending }) => behind === 0 && pending === 0
    )
    const attempts = await shop.operators.get("/metrics")
    const counted = (outcome: string) => `orders_webhook_attempts_total{endpoint="${id}",outcome="${outcome}"}`
    assert.include(attempts.text, counted("delivered"))
    assert.include(attempts.text, `${counted("failed")} 1`)
    const disabled = await shop.operators.send("POST", `${path}/disable`)
    assert.deepInclude(disabled.body, { isEnabled: false, problem: "An operator disabled it." })
    await removed(path)
  })
})

describe("what is asked of webhooks in vain", () => {
  const hook = `/admin/webhooks/${unknown}`
  const cases: ReadonlyArray<readonly [method: string, path: string, status: number, slug: string, body?: unknown]> = [
    ["GET", hook, 404, "webhook-not-found"],
    ["PATCH", hook, 404, "webhook-not-found", { description: "x" }],
    ["DELETE", hook, 404, "webhook-not-found"],
    ["POST", `${hook}/enable`, 404, "webhook-not-found"],
    ["POST", `${hook}/disable`, 404, "webhook-not-found"],
    ["POST", `${hook}/rotate-secret`, 404, "webhook-not-found"],
    ["POST", `${hook}/replay`, 404, "webhook-not-found", { after: "start" }],
    ["POST", `${hook}/replay`, 400, "invalid-token", { after: "1.x" }],
    ["GET", `${hook}/deliveries`, 404, "webhook-not-found"],
    ["POST", `${hook}/deliveries/${unknown}/replay`, 404, "webhook-not-found"],
    ["GET", "/admin/webhooks/1", 400, "invalid-request"],
    ["GET", `${hook}/deliveries?state=lost`, 400, "invalid-request"],
    ["POST", "/admin/webhooks", 400, "invalid-request", {}],
    ["POST", "/admin/webhooks", 400, "invalid-request", { url: "ftp://shop.example" }],
    ["POST", "/admin/webhooks", 400, "invalid-request", { url: "https://shop.example", types: ["Order Placed"] }],
    ["POST", "/admin/webhooks", 400, "invalid-request", { url: "https://shop.example", secret: "mine" }],
    ["POST", "/admin/webhooks", 400, "invalid-token", { url: "http://127.0.0.1", start: "1.0123456789ab" }],
    ["POST", "/admin/webhooks", 422, "webhook-url-refused", { url: "https://169.254.169.254/latest" }],
    ["POST", "/admin/webhooks", 422, "webhook-url-refused", { url: "https://[::ffff:10.0.0.1]/" }],
    ["POST", "/admin/webhooks", 422, "webhook-url-refused", { url: "https://me:secret@127.0.0.1/" }],
    ["PUT", "/admin/webhooks", 405, "method-not-allowed"]
  ]
  for (const [method, path, status, slug, body] of cases) {
    it(`${method} ${path} with ${JSON.stringify(body) ?? "nothing"} is ${status} ${slug}`, async () => {
      const answer = await shop.operators.send(method, path, body)
      assert.deepStrictEqual([answer.status, answer.body.type], [status, `/problems/${slug}`], answer.text)
    })
  }

  it("an event that was never told of, another URL that is refused, and one webhook too many", async () => {
    const hooks = [await made(), await made(), await made()]
    const { path } = hooks[0]!
    const delivery = await shop.operators.send("POST", `${path}/deliveries/${unknown}/replay`)
    assert.deepStrictEqual([delivery.status, delivery.body.type], [404, "/problems/delivery-not-found"])
    const change = await shop.operators.send("PATCH", path, { url: "https://10.0.0.1/" })
    assert.deepStrictEqual([change.status, change.body.type], [422, "/problems/webhook-url-refused"])
    const more = await shop.operators.send("POST", "/admin/webhooks", { url: receiver.url })
    assert.deepStrictEqual([more.status, more.body.type, more.body.limit], [409, "/problems/too-many-webhooks", 3])
    for (const { path } of hooks) await removed(path)
  })
})
