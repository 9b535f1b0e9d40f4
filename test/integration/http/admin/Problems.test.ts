import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { problemOf, raw } from "../../../../harness/clients/RawClient.ts"
import { orderView, type Shop, start } from "../../../../harness/servers/AdminServer.ts"

const unknown = "01890000-0000-7000-8000-000000000000"

let shop: Shop
beforeAll(async () => {
  shop = await start()
})
afterAll(() => shop.stop())

describe("what operators ask for in vain", () => {
  const cases: ReadonlyArray<readonly [method: string, path: string, status: number, slug: string, body?: unknown]> = [
    ["POST", "/admin/projections/nope/pause", 404, "projection-not-found"],
    ["POST", "/admin/projections/nope/resume", 404, "projection-not-found"],
    ["POST", "/admin/projections/nope/rebuild", 404, "projection-not-found"],
    ["POST", "/admin/projections/nope/audit", 404, "projection-not-found"],
    ["POST", "/admin/projections/nope/repair", 404, "projection-not-found", { streamId: "order-1" }],
    ["GET", `/admin/rebuilds/${unknown}`, 404, "rebuild-not-found"],
    ["DELETE", `/admin/rebuilds/${unknown}`, 404, "rebuild-not-found"],
    ["POST", `/admin/rebuilds/${unknown}/pause`, 404, "rebuild-not-found"],
    ["POST", `/admin/rebuilds/${unknown}/resume`, 404, "rebuild-not-found"],
    ["POST", `/admin/parked/${unknown}/retry`, 404, "parked-stream-not-found"],
    ["POST", `/admin/parked/${unknown}/skip`, 404, "parked-stream-not-found"],
    ["GET", "/admin/rebuilds/1", 400, "invalid-request"],
    ["DELETE", "/admin/rebuilds/1", 400, "invalid-request"],
    ["POST", "/admin/parked/1/retry", 400, "invalid-request"],
    ["GET", "/admin/parked?x=1", 400, "invalid-request"],
    ["POST", "/admin/projections/order-view/pause", 400, "invalid-request", { now: true }],
    ["POST", "/admin/projections/order-view/rebuild", 400, "invalid-request", { eventsPerSecond: -1 }],
    ["POST", "/admin/projections/order-view/rebuild", 400, "invalid-request", { compare: "some" }],
    ["POST", "/admin/projections/order-view/rebuild", 400, "invalid-request", { speed: 1 }],
    ["POST", "/admin/projections/order-view/rebuild", 400, "invalid-request", "{"],
    ["POST", "/admin/projections/order-view/audit", 400, "invalid-request", { streams: 0 }],
    ["POST", "/admin/projections/order-view/audit", 400, "invalid-request", { streams: 1, streamId: "order-1" }],
    ["POST", "/admin/projections/order-view/audit", 404, "stream-not-found", { streamId: "order-1" }],
    ["POST", "/admin/projections/order-view/audit", 404, "stream-not-found", { streamId: "product-1" }],
    ["POST", "/admin/projections/order-view/repair", 404, "stream-not-found", { streamId: "order-1" }],
    ["POST", `/admin/parked/${unknown}/skip`, 400, "invalid-request", { version: 0 }],
    ["POST", "/admin/projections/order-view/repair", 400, "invalid-request", {}],
    ["POST", "/admin/projections/order-view/repair", 400, "invalid-request", { streamId: "order-\u0000" }],
    ["GET", "/nope", 404, "not-found"],
    ["GET", "/orders", 404, "not-found"],
    ["PUT", "/admin/parked", 405, "method-not-allowed"],
    ["POST", "/metrics", 405, "method-not-allowed"]
  ]
  for (const [method, path, status, slug, body] of cases) {
    it(`${method} ${path} with ${JSON.stringify(body) ?? "nothing"} is ${status} ${slug}`, async () => {
      const answer = await shop.operators.send(method, path, body)
      assert.deepStrictEqual([answer.status, answer.body.type], [status, `/problems/${slug}`], answer.text)
      const explained = await shop.operators.get(`/problems/${slug}`)
      assert.deepStrictEqual([explained.body.type, explained.body.status], [answer.body.type, status])
    })
  }

  it("is not on the port that everybody may reach", async () => {
    for (const path of ["/admin/projections", "/admin/config", "/metrics"]) {
      assert.strictEqual((await shop.api.get(path)).status, 404, path)
    }
  })
})

describe("a web page in an operator's browser", () => {
  const pause = (headers: ReadonlyArray<string>, path = "POST /admin/projections/order-view/pause") => {
    const { port } = new URL(shop.operators.url)
    const lines = [`${path} HTTP/1.1`, "Connection: close", ...headers.map((line) => line.replace("PORT", port))]
    return raw(Number(port), [`${lines.join("\r\n")}\r\n\r\n`])
  }
  const status = async () => orderView(await shop.operators.get("/admin/projections")).status

  const refused: ReadonlyArray<readonly [header: string, lines: ReadonlyArray<string>]> = [
    ["origin", ["Host: 127.0.0.1:PORT", "Origin: https://evil.example"]],
    ["origin", ["Host: 127.0.0.1:PORT", "Origin: https://evil.example", "Sec-Fetch-Site: cross-site"]],
    ["origin", ["Host: 127.0.0.1:PORT", "Origin: null"]],
    ["origin", ["Host: 127.0.0.1:PORT", "Origin: http://127.0.0.1:1"]],
    ["origin", ["Host: localhost:PORT", "Origin: http://127.0.0.1:PORT"]],
    ["sec-fetch-site", ["Host: 127.0.0.1:PORT", "Sec-Fetch-Site: cross-site"]],
    ["sec-fetch-site", ["Host: 127.0.0.1:PORT", "Sec-Fetch-Site: same-site"]],
    ["sec-fetch-site", ["Host: 127.0.0.1:PORT", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors"]],
    [
      "sec-fetch-site",
      ["Host: 127.0.0.1:PORT", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"]
    ],
    ["host", ["Host: evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate"]],
    ["host", ["Host: evil.example:PORT", "Origin: http://evil.example:PORT"]],
    ["host", ["Host: evil.example"]],
    ["host", ["Host: 127.0.0.1.evil.example:PORT"]],
    ["host", ["Host: "]]
  ]
  it.each(refused)("is refused for its %s: %s", async (header, lines) => {
    for (const path of [undefined, "GET /admin/config", "GET /metrics", "GET /nope"]) {
      const answer = await pause(lines, path)
      assert.strictEqual(answer.status, 403, answer.text)
      assert.containSubset(problemOf(answer), { type: `/problems/foreign-${header === "host" ? header : "origin"}` })
    }
    assert.strictEqual(await status(), "live")
  })

  const link = ["Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"]
  it("may link to what there is to see here, but not post a form to it", async () => {
    const linked = ["Host: 127.0.0.1:PORT", ...link]
    for (const path of ["GET /docs", "GET /admin/projections", "GET /metrics"]) {
      assert.strictEqual((await pause(linked, path)).status, 200, path)
    }
    const form = await pause([...linked, "Content-Type: text/plain", "Content-Length: 0"])
    assert.containSubset(problemOf(form), { type: "/problems/foreign-origin", header: "sec-fetch-site" })
    assert.strictEqual(await status(), "live")
  })

  const admitted = [
    ["Host: 127.0.0.1:PORT"],
    ["Host: localhost:PORT", "Origin: http://localhost:PORT", "Sec-Fetch-Site: same-origin"],
    ["Host: [::1]:PORT"],
    ["Host: LOCALHOST"],
    ["Host: 10.1.2.3:PORT"]
  ]
  it.each(admitted.map((lines) => [lines]))("of the port itself, or a program, is answered: %s", async (lines) => {
    assert.strictEqual((await pause(lines, "GET /admin/projections")).status, 200)
  })
})
