import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { HttpApi } from "effect/http-api"
import { checkedClient } from "../../../harness/clients/CheckedClient.ts"
import { call } from "../../../harness/clients/HttpClient.ts"
import { raw } from "../../../harness/clients/RawClient.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { Api } from "../../../src/http/api/Api.ts"

/** Every endpoint of the API, with ids in its path. */
const endpoints: Array<{ readonly method: string; readonly path: string; readonly role: string }> = []
HttpApi.reflect(Api, {
  onGroup: () => {},
  onEndpoint: ({ endpoint, group }) => {
    const path = endpoint.path.replaceAll(":version", "1").replaceAll(/:\w+/g, "x")
    const role = group.identifier === "system" ? "any" : endpoint.method === "GET" ? "query" : "command"
    endpoints.push({ method: endpoint.method, path, role })
  }
})

const others = { command: "http://commands.internal:3000/shop", query: "http://queries.internal:3000" }

/** Sends what is well formed enough to be answered, if it is answered here. */
const bodyOf = (method: string) => (method === "GET" || method === "DELETE" ? undefined : placement())

describe.each(["command", "query"] as const)("a server that leaves every %s to others", (missing) => {
  let alone: TestServer
  let known: TestServer
  beforeAll(async () => {
    alone = await start({ elsewhere: { [missing]: {} } })
    known = await start({ elsewhere: { [missing]: { url: others[missing] } } })
  })
  afterAll(() => Promise.all([alone.stop(), known.stop()]))

  it("refuses those and no other endpoint, and says which role answers", async () => {
    for (const { method, path, role } of endpoints) {
      const { body, status } = await alone.send(method, path, bodyOf(method))
      const isRefused = status === 503 && body.type === "/problems/not-served-here"
      assert.strictEqual(isRefused, role === missing, `${method} ${path} answered ${status}`)
      if (isRefused) assert.strictEqual(body.role, missing)
    }
    assert.strictEqual((await alone.send("POST", "/nowhere", {})).status, 404)
    assert.strictEqual((await alone.get("/openapi.json")).status, 200)
  })

  it("redirects them to a server that is known, with their path and query", async () => {
    const location = async (method: string, path: string) => {
      const sent = bodyOf(method)
      const answer = await fetch(known.url + path, {
        method,
        redirect: "manual",
        headers: { "content-type": "application/json" },
        ...(sent === undefined ? {} : { body: JSON.stringify(sent) })
      })
      await answer.body?.cancel()
      return answer.status === 307 ? answer.headers.get("location") : undefined
    }
    for (const { method, path, role } of endpoints) {
      const expected = role === missing ? others[missing] + path : undefined
      assert.strictEqual(await location(method, path), expected, `${method} ${path}`)
    }
    const query = "/orders?status=placed&limit=1"
    assert.strictEqual(await location("GET", query), missing === "query" ? others.query + query : undefined)
  })
})

it("a client follows the redirect with its body, and gets the answer of the server that it leads to", async () => {
  const answering = await start()
  const { stop, url } = await start({ elsewhere: { command: { url: answering.url } } })
  const answer = await call(url, "PUT", "/products/mug", {
    body: { name: "Mug", unitPrice: 1, currency: "EUR", taxBps: 0 }
  })
  assert.strictEqual(answer.status, 202, answer.text)
  assert.strictEqual((await checkedClient(answering.url).get("/products/mug")).status, 200)
  await Promise.all([stop(), answering.stop()])
})

it("a WebSocket, which can't be redirected, is told in Link where to connect", async () => {
  const { port, stop } = await start({ elsewhere: { query: { url: others.query } } })
  const version = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="]
  const lines = [
    "GET /events/ws?after=0 HTTP/1.1",
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    ...version
  ]
  const { status, text } = await raw(port, [`${lines.join("\r\n")}\r\n\r\n`])
  assert.strictEqual(status, 503)
  assert.match(text, new RegExp(`^link: <${others.query}/events/ws\\?after=0>; rel="alternate"\r$`, "m"))
  await stop()
})
