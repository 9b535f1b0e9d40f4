/**
 * Hot routes answer as the endpoints do: two servers get the same requests, good and bad, and one of them has no hot
 * routes, since its service is not one of this program.
 */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, ManagedRuntime } from "effect"
import { Headers } from "effect/http"
import { Agent, type IncomingHttpHeaders } from "node:http"
import { send } from "../../../../harness/campaigns/hostile/HostileCampaign.ts"
import { type HostileRequest, make } from "../../../../harness/campaigns/hostile/HostileRequests.ts"
import { withCatalog } from "../../../../harness/clients/CheckedClient.ts"
import { placement } from "../../../../harness/fixtures/Shop.ts"
import { seed, seeded } from "../../../../harness/fixtures/SeededRandom.ts"
import { type Options, start } from "../../../../harness/servers/ApiServer.ts"
import { Overloaded } from "../../../../src/eventstore/EventStoreErrors.ts"
import * as HotRoutes from "../../../../src/http/listener/HotRoutes.ts"
import * as CheckedOrders from "../../../../src/orders/CheckedOrders.ts"
import { Orders } from "../../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../../src/orders/OrdersLayers.ts"

/** Serves a new service: one of this program, or a copy of it, as an embedding program makes. */
const serve = async (copied: boolean) => {
  const runtime = ManagedRuntime.make(OrdersLayers.layerMemory)
  const made = await runtime.runPromise(Orders)
  const orders = Layer.succeed(Orders, copied ? { ...made } : made)
  const server = await withCatalog(await start({ orders }))
  const find = await runtime.runPromise(Effect.provide(HotRoutes.HotRoutes, Layer.provide(HotRoutes.layer, orders)))
  return { url: server.url, find, stop: () => Promise.all([server.stop(), runtime.dispose()]) }
}

let hot: Awaited<ReturnType<typeof serve>>
let ordinary: Awaited<ReturnType<typeof serve>>
const agent = new Agent({ keepAlive: true })
beforeAll(async () => {
  ;[hot, ordinary] = [await serve(false), await serve(true)]
})
afterAll(async () => {
  agent.destroy()
  await Promise.all([hot.stop(), ordinary.stop()])
})

/** Of an answer, ids and times differ from one server to the other, and how far its view has come. */
const fixed = (text: string) =>
  text
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "id")
    .replace(/\d+\.[0-9a-f]{12}/g, "token")
    .replace(/(cursor=|"next":")[^">]+/g, "$1cursor")
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "time")
const fixedHeaders = (headers: IncomingHttpHeaders) =>
  Object.entries(headers)
    .filter(([name]) => name !== "date" && name !== "freshness")
    .map(([name, value]) => `${name}: ${fixed(String(value))}`)
    .sort()

const operations = [
  { method: "POST", path: "/orders" },
  { method: "GET", path: "/orders/{id}" },
  { method: "POST", path: "/orders/{id}/confirm" }
]

const [known, unknown] = [0, 1].map((n) => `ord_01890000-0000-7000-8000-00000000000${n}`)
const json = { "content-type": "application/json" }
const place = (body: object | string, headers: object = {}): HostileRequest => ({
  method: "POST",
  path: "/orders",
  headers: { ...json, ...headers },
  body: typeof body === "string" ? body : JSON.stringify(body)
})
const order = placement({ orderId: known })

/** One for each answer of a hot route and of what it leaves to the endpoint; random ones may leave some out. */
const chosen: ReadonlyArray<readonly [request: HostileRequest, way: string]> = [
  [place(order), "/orders 202"],
  [place(order), "/orders 202"],
  [place({ ...order, shippingCost: 1 }), "/orders 409"],
  [place(placement({ lines: [{ productId: "none", quantity: 1 }] })), "/orders 422"],
  [place(placement({ customerId: "nobody" })), "/orders 422"],
  [place(placement({ confirm: false, shippingCost: 490 }), { "idempotency-key": '"k"' }), "/orders 202"],
  [place(placement({ confirm: false, shippingCost: 490 }), { "idempotency-key": "k" }), "/orders 202"],
  [place(placement(), { "idempotency-key": "k" }), "/orders 422"],
  [place(placement(), { "idempotency-key": '"' }), "/orders 400"],
  [place(placement({ x: 1 })), "/orders 400"],
  [place('{"customerId": 1,}'), "/orders 400"],
  [place(""), "/orders 400"],
  [place(placement(), { "content-type": "text/plain" }), "/orders 415"],
  [place(placement({ confirm: true }), { "if-match": '"1"' }), "endpoint 412"],
  [place(placement(), { prefer: "wait=0" }), "endpoint 201"],
  [{ method: "GET", path: `/orders/${known}`, headers: {} }, "/orders/:id 200"],
  [{ method: "GET", path: `/orders/${known}`, headers: { "consistency-token": "1.x" } }, "/orders/:id 400"],
  [{ method: "GET", path: `/orders/${unknown}`, headers: {} }, "/orders/:id 404"],
  [{ method: "GET", path: `/orders/${known}?x=1`, headers: {} }, "endpoint 400"],
  [{ method: "GET", path: `/orders/${known}`.replace("ord", "%6Frd"), headers: {} }, "endpoint 200"],
  [{ method: "GET", path: `/orders/${known}`, headers: { "if-none-match": "*" } }, "endpoint 304"],
  [{ method: "HEAD", path: `/orders/${known}`, headers: {} }, "endpoint 200"],
  [{ method: "GET", path: "/orders?customerId=nobody", headers: {} }, "/orders 200"],
  [{ method: "GET", path: "/orders?customerId=nobody", headers: { "consistency-token": "1.x" } }, "/orders 400"],
  [{ method: "GET", path: "/orders?cursor=x", headers: {} }, "/orders 400"],
  [{ method: "GET", path: "/orders?limit=0", headers: {} }, "endpoint 400"],
  [{ method: "GET", path: "/orders?limit=1&limit=1", headers: {} }, "endpoint 400"],
  [{ method: "GET", path: "/orders?__proto__=1", headers: {} }, "endpoint 400"],
  [{ method: "POST", path: `/orders/${known}/confirm`, headers: {} }, "/orders/:id/confirm 202"],
  [{ method: "POST", path: `/orders/${known}/confirm`, headers: json, body: "{}" }, "/orders/:id/confirm 202"],
  [{ method: "POST", path: `/orders/${known}/confirm`, headers: json, body: "[]" }, "/orders/:id/confirm 400"],
  [{ method: "POST", path: `/orders/${unknown}/confirm`, headers: {} }, "/orders/:id/confirm 404"]
]

describe("a hot route", () => {
  it("answers what its endpoint answers, whatever is sent", async () => {
    /** The ids of the orders of the one server, and those that the other gave to the same ones. */
    const twins = new Map<string, string>()
    const orderId = /"orderId":"(ord_[^"]+)"/

    /** Gives the route of the hot server, and the status of both. */
    const compare = async (sent: HostileRequest) => {
      const path = sent.path.replace(/ord_[0-9a-f-]+/, (id) => twins.get(id) ?? id)
      const answers = [await send(agent, hot.url, sent), await send(agent, ordinary.url, { ...sent, path })] as const
      const [one, other] = answers.map(({ headers, status, text }) => [status, fixed(text), fixedHeaders(headers)])
      assert.deepStrictEqual(one, other, `SEED=${seed} ${JSON.stringify(sent)}`)
      const [{ status }] = answers
      const [id, twin] = answers.map(({ text }) => orderId.exec(text)?.[1])
      if (status < 300 && id !== undefined && twin !== undefined) twins.set(id, twin)
      const asked = { method: sent.method as "GET", url: sent.path, headers: Headers.fromInput(sent.headers) }
      assert.isUndefined(ordinary.find(asked))
      return `${hot.find(asked)?.path ?? "endpoint"} ${status}`
    }

    for (const [request, way] of chosen) assert.strictEqual(await compare(request), way, JSON.stringify(request))
    const orders = () => ({ orders: [...twins.keys()].slice(-20), opaque: [] })
    const next = make(seeded(seed), operations, orders)
    for (let count = 0; count < 1_500; count++) {
      const sent = next()
      // The view of one server may have an order before the other's has.
      if (sent.method === "POST" || !/^\/orders\/?(?:\?|$)/.test(sent.path)) await compare(sent)
    }
  })

  it("lists what its endpoint lists", async () => {
    const customerId = "ada"
    const token = async (url: string) => {
      for (const n of [1, 2, 3]) await send(agent, url, place(placement({ customerId, shippingCost: n })))
      const { headers } = await send(agent, url, place(placement({ customerId, shippingCost: 4 })))
      return String(headers["consistency-token"])
    }
    const tokens = { hot: await token(hot.url), ordinary: await token(ordinary.url) }
    const listed = async (query: string) => {
      const path = `/orders?customerId=${customerId}&${query}`
      const [one, other] = await Promise.all(
        (["hot", "ordinary"] as const).map(async (side) => {
          const headers = { "consistency-token": tokens[side], prefer: "wait=30" }
          const answer = await send(agent, { hot, ordinary }[side].url, { method: "GET", path, headers })
          return [answer.status, fixed(answer.text), fixedHeaders(answer.headers)] as const
        })
      )
      assert.deepStrictEqual(one, other)
      assert.strictEqual(one?.[0], 200)
      return one![1].split('"orderId":"').length - 1
    }
    assert.strictEqual(await listed("limit=3"), 3)
    assert.strictEqual(await listed("limit=2&sort=placedAt&status=confirmed,placed"), 2)
    assert.strictEqual(await listed("status=cancelled"), 0)
  })

  /** Serves these methods as a service of this program. */
  const serveOwn = (methods: Partial<Orders["Service"]>, options: Options = {}) =>
    start({ ...options, orders: Layer.succeed(Orders, CheckedOrders.make(methods as Orders["Service"])) })
  const sent = (url: string, ...requests: ReadonlyArray<HostileRequest>) =>
    Promise.all(requests.map((request) => send(agent, url, request)))
  const get: HostileRequest = { method: "GET", path: `/orders/${known}`, headers: {} }
  const confirm: HostileRequest = { method: "POST", path: `/orders/${known}/confirm`, headers: {} }

  it("asks the service once, also where the endpoint answers", async () => {
    const calls: Array<string> = []
    const overloaded = (name: string) => () =>
      Effect.suspend(() => {
        calls.push(name)
        return Effect.fail(new Overloaded({ what: "this test", retryAfter: 7 }))
      })
    const { stop, url } = await serveOwn({ get: overloaded("get"), confirm: overloaded("confirm") })
    for (const { headers, status } of await sent(url, get, confirm)) {
      assert.deepStrictEqual([status, headers["retry-after"]], [503, "7"])
    }
    assert.deepStrictEqual(calls.sort(), ["confirm", "get"])
    await stop()
  })

  it("ends at the deadline, with the problem of its endpoint", async () => {
    const limits = { request: Duration.millis(20) }
    const { stop, url } = await serveOwn({ get: () => Effect.never, confirm: () => Effect.never }, { limits })
    const [read, command] = await sent(url, get, confirm)
    assert.deepStrictEqual([read?.status, JSON.parse(read!.text).type], [503, "/problems/overloaded"])
    assert.deepStrictEqual([command?.status, JSON.parse(command!.text).type], [503, "/problems/outcome-unknown"])
    await stop()
  })

  it("answers a defect, and writes it into the log", async () => {
    const lines: Array<string> = []
    const options = { logs: (line: string) => lines.push(line) }
    const { stop, url } = await serveOwn({ get: () => Effect.die("a bug of this test") }, options)
    const [answer] = await sent(url, get)
    assert.strictEqual(answer?.status, 500)
    assert.lengthOf(
      lines.filter((line) => line.includes("a bug of this test")),
      1
    )
    await stop()
  })

  it("interrupts the service if the caller leaves", async () => {
    const begun = Promise.withResolvers<void>()
    const left = Promise.withResolvers<void>()
    const wait = Effect.onInterrupt(
      Effect.andThen(
        Effect.sync(() => begun.resolve()),
        Effect.never
      ),
      () => Effect.sync(() => left.resolve())
    )
    const { stop, url } = await serveOwn({ get: () => wait })
    const leaving = new AbortController()
    const answer = fetch(url + get.path, { signal: leaving.signal }).catch(() => "left")
    await begun.promise
    leaving.abort()
    assert.strictEqual(await answer, "left")
    await left.promise
    await stop()
  })
})
