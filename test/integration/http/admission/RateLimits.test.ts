import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { onTestFinished } from "vitest"
import { OrderId } from "../../../../src/order/OrderId.ts"
import { placement } from "../../../../harness/fixtures/Shop.ts"
import { type Options, start, stub } from "../../../../harness/servers/ApiServer.ts"

const receipt = {
  orderId: OrderId.make("ord_01890000-0000-7000-8000-000000000000"),
  version: 2,
  position: 4n,
  commandId: "c",
  status: "confirmed",
  paymentStatus: "unpaid",
  events: [],
  token: "4.log",
  replayed: false
} as const

const serve = async (options: Options) => {
  const server = await start({ orders: stub({ place: () => Effect.succeed(receipt) }), ...options })
  onTestFinished(server.stop)
  return server
}

describe("API4 limits: over HTTP", () => {
  it("a caller who sends too much is answered 429 on every route until Retry-After, but for health checks", async () => {
    const server = await serve({ quotas: { caller: 2 } })
    const placed = await server.send("POST", "/orders", placement())
    assert.strictEqual(placed.status, 202)
    assert.strictEqual(placed.headers.get("ratelimit-policy"), '"caller";q=2;w=3600')
    assert.match(placed.headers.get("ratelimit") ?? "", /^"caller";r=1;t=1[78]\d\d$/)
    const missing = await server.get("/problems/nope")
    assert.match(missing.headers.get("ratelimit") ?? "", /^"caller";r=0;t=\d+$/)
    for (const send of [
      () => server.send("POST", "/orders", placement()),
      () => server.get("/orders"),
      () => server.get("/products"),
      () => server.get("/events")
    ]) {
      const { body, headers, status } = await send()
      assert.deepStrictEqual([status, body.type, body.limit], [429, "/problems/rate-limited", "caller"])
      assert.match(headers.get("retry-after") ?? "", /^[1-9]\d*$/)
      assert.match(headers.get("ratelimit") ?? "", /^"caller";r=0;t=\d+$/)
    }
    for (let count = 0; count < 3; count++) {
      const { headers, status } = await server.get("/health/live")
      assert.deepStrictEqual([status, headers.get("ratelimit")], [200, null])
    }
  })

  it("callers behind a trusted proxy have addresses of their own; others can't make one up", async () => {
    const from = (address: string) => ({ "x-forwarded-for": address })
    const proxied = await serve({ quotas: { address: 1 }, sites: { proxies: ["127.0.0.1"] } })
    const statuses = []
    for (const address of ["192.0.2.1", "192.0.2.1", "192.0.2.2", "1.1.1.1, 192.0.2.1"]) {
      statuses.push((await proxied.get("/problems/internal", from(address))).status)
    }
    assert.deepStrictEqual(statuses, [200, 429, 200, 429])
    const direct = await serve({ quotas: { address: 1 } })
    assert.strictEqual((await direct.get("/problems/internal", from("192.0.2.1"))).status, 200)
    assert.strictEqual((await direct.get("/problems/internal", from("192.0.2.2"))).status, 429)
  })

  it("pages of allowed origins can read the refusal; preflights count nothing", async () => {
    const origin = "https://shop.example"
    const server = await serve({ quotas: { caller: 1 }, sites: { origins: [origin] } })
    const preflight = { origin, "access-control-request-method": "POST" }
    for (let count = 0; count < 3; count++) {
      assert.strictEqual((await server.request("OPTIONS", "/orders", { headers: preflight })).status, 204)
    }
    assert.strictEqual((await server.get("/problems/internal", { origin })).status, 200)
    const { headers, status } = await server.get("/problems/internal", { origin })
    assert.deepStrictEqual([status, headers.get("access-control-allow-origin")], [429, origin])
    assert.include(headers.get("access-control-expose-headers") ?? "", "Retry-After")
  })

  it("without quotas no answer speaks of them", async () => {
    const server = await serve({})
    assert.isNull((await server.send("POST", "/orders", placement())).headers.get("ratelimit"))
  })
})
