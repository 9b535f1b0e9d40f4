/** What web pages of other sites have a browser send: tried on every route of both APIs, and on their pages. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { HttpApi, type HttpApiGroup } from "effect/http-api"
import { problemOf, raw, type RawAnswer } from "../../../../harness/clients/RawClient.ts"
import * as Admin from "../../../../harness/servers/AdminServer.ts"
import { start, stub, type TestServer } from "../../../../harness/servers/ApiServer.ts"
import { AdminApi } from "../../../../src/http/admin/AdminApi.ts"
import { Api } from "../../../../src/http/api/Api.ts"
import { defaults } from "../../../../src/http/listener/AllowedSites.ts"

type Route = readonly [method: string, path: string]

const routesOf = <Id extends string, Groups extends HttpApiGroup.Constraint>(api: HttpApi.HttpApi<Id, Groups>) => {
  const routes: Array<Route> = []
  HttpApi.reflect(api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint }) => routes.push([endpoint.method, endpoint.path.replace(/:\w+/g, "x")])
  })
  return routes
}

const pages: ReadonlyArray<Route> = ["/", "/docs", "/openapi.json", "/nope"].flatMap((path) => [
  ["GET", path],
  ["POST", path],
  ["OPTIONS", path]
])

const isRead = ([method]: Route) => ["GET", "HEAD", "OPTIONS"].includes(method)

const body = "{}"
const asJson = ["Content-Type: application/json", `Content-Length: ${body.length}`]
const upgrade = [
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
  // Where nothing is upgraded, the answer is one like any other, and the connection stays open unless this ends it.
  "Connection: Upgrade, close"
]

const sender =
  (port: number) =>
  ([method, path]: Route, headers: ReadonlyArray<string>): Promise<RawAnswer> => {
    const host = headers.some((line) => line.startsWith("Host:")) ? [] : [`Host: 127.0.0.1:${port}`]
    const connection = headers.some((line) => line.startsWith("Connection:")) ? [] : ["Connection: close"]
    const lines = [`${method} ${path} HTTP/1.1`, ...host, ...connection, ...headers]
    return raw(port, [`${lines.join("\r\n")}\r\n\r\n${headers.includes(asJson[0]!) ? body : ""}`])
  }

const evil = "Origin: https://evil.example"
const crossSite = "Sec-Fetch-Site: cross-site"
const foreignPages: ReadonlyArray<ReadonlyArray<string>> = [
  [evil],
  [evil, ...asJson],
  ["Origin: null"],
  ["Origin: null", ...asJson],
  [crossSite],
  [crossSite, ...asJson],
  [evil, crossSite, "Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: document"],
  ["Sec-Fetch-Site: same-site"]
]

const typeOf = (answer: RawAnswer) => (answer.status < 400 ? answer.status : problemOf(answer).type)
const isRefused = (answer: RawAnswer) => answer.status === 403

let api: TestServer
let shop: Admin.Shop
beforeAll(async () => {
  // Whatever reaches the service is a defect, so nothing foreign may get there.
  api = await start({ orders: stub({ subscribe: () => Effect.die("reached") }), sites: { proxies: ["10.0.0.0/8"] } })
  shop = await Admin.start()
})
afterAll(() => Promise.all([api.stop(), shop.stop()]))

const ports: ReadonlyArray<
  readonly [name: string, routes: ReadonlyArray<Route>, send: () => ReturnType<typeof sender>]
> = [
  ["API", [...routesOf(Api), ...pages], () => sender(api.port)],
  ["operators' API", [...routesOf(AdminApi), ...pages], () => sender(Number(new URL(shop.operators.url).port))]
]

describe.each(ports)("every route of the %s", (_, routes, port) => {
  it("answers only to localhost, to addresses and to allowed names", async () => {
    const send = port()
    for (const route of routes) {
      for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:80", "evil@localhost"]) {
        assert.strictEqual(typeOf(await send(route, [`Host: ${host}`])), "/problems/foreign-host", `${route} ${host}`)
      }
      // Nobody is authenticated, so a token proves nothing.
      const token = await send(route, ["Host: evil.example", "Authorization: Bearer x"])
      assert.strictEqual(typeOf(token), "/problems/foreign-host", String(route))
    }
  })

  it("refuses a page of another site that wants to change something, with or without a body", async () => {
    const send = port()
    for (const route of routes.filter((route) => !isRead(route))) {
      for (const headers of foreignPages) {
        assert.strictEqual(typeOf(await send(route, headers)), "/problems/foreign-origin", `${route} ${headers}`)
      }
    }
  })

  it("lets programs, its own pages and senders of a token pass", async () => {
    const send = port()
    for (const route of routes.filter((route) => route[1] !== "/events")) {
      for (const headers of [
        [],
        asJson,
        ["Sec-Fetch-Site: same-origin", "Origin: http://127.0.0.1"],
        ["Sec-Fetch-Site: none"],
        ["Host: LocalHost:1", "Origin: https://localhost:1"],
        ["Host: [::1]:80", "Origin: https://[::1]:80"],
        [evil, "Authorization: Bearer x"],
        [evil, "X-Api-Key: x"]
      ]) {
        assert.isFalse(isRefused(await send(route, headers)), `${route} ${headers}`)
      }
    }
  })
})

describe("a page of another site", () => {
  it("opens no WebSocket, whatever route it tries", async () => {
    const send = sender(api.port)
    for (const route of routesOf(Api).filter(isRead)) {
      for (const header of [evil, "Origin: null", "Origin: ", crossSite]) {
        assert.strictEqual(
          typeOf(await send(route, [...upgrade, header])),
          "/problems/foreign-origin",
          `${route} ${header}`
        )
      }
      assert.strictEqual(typeOf(await send(route, [...upgrade, "Host: evil.example"])), "/problems/foreign-host")
    }
  })

  it("may read what anybody may read, but its browser does not show it", async () => {
    const answer = await sender(api.port)(["GET", "/health/live"], [evil, crossSite])
    assert.strictEqual(answer.status, 200)
    assert.notMatch(answer.text, /access-control/i)
  })

  it("gets no answer to a preflight", async () => {
    const preflight = [evil, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type"]
    const answer = await sender(api.port)(["OPTIONS", "/orders"], preflight)
    assert.strictEqual(answer.status, 405)
    assert.notMatch(answer.text, /access-control/i)
  })

  it("does not frame the documentation", async () => {
    for (const send of [sender(api.port), sender(Number(new URL(shop.operators.url).port))]) {
      assert.match((await send(["GET", "/docs"], [])).text, /content-security-policy: .*frame-ancestors 'none'/i)
    }
  })
})

describe("X-Forwarded-Host", () => {
  const forwarded = ["X-Forwarded-Host: shop.example, b", "Origin: https://shop.example"]
  it("of an address that is no trusted proxy means nothing", async () => {
    assert.strictEqual(typeOf(await sender(api.port)(["POST", "/orders"], forwarded)), "/problems/foreign-origin")
  })
  it("of a trusted proxy tells which pages are the server's own", async () => {
    for (const proxies of [["127.0.0.0/8"], ["::1", "127.0.0.1"]]) {
      const server = await start({ orders: stub({}), sites: { proxies } })
      const send = sender(server.port)
      assert.strictEqual(
        typeOf(await send(["POST", "/orders"], [...forwarded, ...asJson])),
        "/problems/invalid-request"
      )
      assert.strictEqual(typeOf(await send(["POST", "/orders"], [forwarded[0]!, evil])), "/problems/foreign-origin")
      await server.stop()
    }
  })
})

describe("allowed sites", () => {
  const ours = "https://shop.example"
  const sites = { ...defaults, hosts: ["Shop.example"], origins: [ours] }
  let server: TestServer
  let send: ReturnType<typeof sender>
  beforeAll(async () => {
    server = await start({ orders: stub({}), sites })
    send = sender(server.port)
  })
  afterAll(() => server.stop())

  it("may send commands and read the answers, problems included, on every route", async () => {
    for (const route of routesOf(Api).filter(([, path]) => !path.startsWith("/events"))) {
      const answer = await send(route, [`Origin: ${ours}`, crossSite])
      assert.isFalse(isRefused(answer), String(route))
      assert.match(answer.text, /access-control-allow-origin: https:\/\/shop\.example\r/i, String(route))
      assert.match(answer.text, /access-control-expose-headers: .*Consistency-Token.*ETag.*Location/i, String(route))
      assert.match(answer.text, /vary: .*Origin/i, String(route))
    }
  })

  it("get their preflights answered on every route, and others do not", async () => {
    const ask = ["Access-Control-Request-Method: PATCH", "Access-Control-Request-Headers: content-type,idempotency-key"]
    for (const [, path] of routesOf(Api)) {
      const answer = await send(["OPTIONS", path], [`Origin: ${ours}`, ...ask])
      assert.strictEqual(answer.status, 204, path)
      assert.match(answer.text, /access-control-allow-origin: https:\/\/shop\.example\r/i)
      assert.match(answer.text, /access-control-allow-methods: .*PATCH/i)
      assert.match(answer.text, /access-control-allow-headers: .*idempotency-key/i)
      assert.notMatch((await send(["OPTIONS", path], [evil, ...ask])).text, /access-control-allow-origin/i)
    }
    assert.strictEqual(typeOf(await send(["POST", "/orders"], [evil])), "/problems/foreign-origin")
  })

  it("may be names of the server", async () => {
    assert.strictEqual((await send(["GET", "/health/live"], ["Host: SHOP.example:8080"])).status, 200)
    assert.strictEqual(typeOf(await send(["GET", "/health/live"], ["Host: a.shop.example"])), "/problems/foreign-host")
  })

  it("may be any name where something else authenticates", async () => {
    const any = await start({ orders: stub({}), sites: { hosts: "any" } })
    assert.strictEqual((await sender(any.port)(["GET", "/health/live"], ["Host: a"])).status, 200)
    await any.stop()
  })
})
