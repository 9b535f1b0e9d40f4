/** What HTTP/1.1 itself (RFC 9110, RFC 9112) and its neighbours ask of a server, whatever the API is. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Tracer } from "effect"
import { onTestFinished } from "vitest"
import { call } from "../../../../harness/clients/HttpClient.ts"
import { problemOf, raw, type RawAnswer } from "../../../../harness/clients/RawClient.ts"
import { placement } from "../../../../harness/fixtures/Shop.ts"
import { start, stub, type TestServer } from "../../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  // Whatever reaches the service is a defect.
  server = await start({ orders: stub({}) })
})
afterAll(() => server.stop())

const headerOf = (answer: RawAnswer, name: string) => new RegExp(`^${name}: (.*)\\r$`, "im").exec(answer.text)?.[1]

/** Sends a request with these lines of headers; the answer must be a problem document after which the server hangs up. */
const refused = async (lines: ReadonlyArray<string>, body = "") => {
  const answer = await raw(server.port, [`${lines.join("\r\n")}\r\n\r\n${body}`])
  const document = problemOf(answer)
  assert.strictEqual(document.status, answer.status)
  assert.strictEqual(headerOf(answer, "content-type"), "application/problem+json")
  assert.strictEqual(document.instance, `urn:uuid:${headerOf(answer, "x-request-id")}`)
  assert.match(headerOf(answer, "connection") ?? "", /close/)
  return { ...document, answer }
}

describe("a request that HTTP itself does not allow", () => {
  it("with an unknown method is 501, also as the second one on a connection", async () => {
    const brew = ["BREW /orders HTTP/1.1", "Host: localhost"]
    for (const before of [[], ["GET /health/live HTTP/1.1", "Host: localhost", "", ""]]) {
      const answer = await raw(server.port, [`${[...before, ...brew].join("\r\n")}\r\n\r\n`])
      const last = answer.text.slice(answer.text.lastIndexOf("HTTP/1.1 "))
      assert.match(last, /^HTTP\/1\.1 501 Not Implemented\r/)
      assert.include(last, "does not know the method BREW")
    }
    assert.strictEqual((await refused(["get /orders HTTP/1.1", "Host: localhost"])).status, 501)
  })

  it("for a tunnel is 501", async () => {
    assert.strictEqual((await refused(["CONNECT shop.example:443 HTTP/1.1", "Host: localhost"])).status, 501)
  })

  it("that expects anything but 100-continue is 417", async () => {
    const { detail, status } = await refused(["POST /orders HTTP/1.1", "Host: localhost", "Expect: 200-ok"])
    assert.strictEqual(status, 417)
    assert.include(detail, "100-continue")
  })

  it("with two lines for the host is 400, even if they say the same", async () => {
    for (const second of ["localhost", "evil.example"]) {
      const { errors, status } = await refused(["GET /orders HTTP/1.1", "Host: localhost", `hOst: ${second}`])
      assert.deepStrictEqual(
        [status, errors],
        [400, [{ path: "header.host", message: "was given twice; give it once" }]]
      )
    }
  })

  it("with two content types is not taken for one of the first", async () => {
    const type = "Content-Type: application/json"
    const lines = ["POST /orders HTTP/1.1", "Host: localhost", "Connection: close", "Content-Length: 2"]
    assert.strictEqual((await refused([...lines, type, "Content-Type: text/plain"], "{}")).status, 415)
  })

  it("in a transfer coding besides chunked is 501", async () => {
    const lines = ["POST /orders HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    const { status } = await refused([...lines, "Transfer-Encoding: gzip, chunked"], "2\r\n{}\r\n0\r\n\r\n")
    assert.strictEqual(status, 501)
  })
})

describe("an answer", () => {
  const [trace, parent] = ["4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"]
  const traceparent = `00-${trace}-${parent}-01`
  const traceOf = async (server: TestServer, path: string, headers = {}) =>
    (await server.get(path, headers)).headers.get("traceparent") ?? ""

  it("names its span, in the trace of the caller if there is one", async () => {
    const tracer = Tracer.make({ span: (options) => new Tracer.NativeSpan(options) })
    const traced = await start({ orders: stub({}), tracer })
    onTestFinished(traced.stop)
    for (const path of ["/health/live", "/nope", "/orders?limit=0"]) {
      assert.match(await traceOf(traced, path), /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[01]$/, path)
      assert.match(
        await traceOf(traced, path, { traceparent }),
        new RegExp(`^00-${trace}-(?!${parent})[0-9a-f]{16}-01$`)
      )
    }
  })

  it("names the span of the caller, if it can be read, where nothing records spans", async () => {
    assert.strictEqual(await traceOf(server, "/nope", { traceparent }), traceparent)
    assert.strictEqual(await traceOf(server, "/nope", { traceparent: "00-x" }), "")
  })

  it("that refuses a body says which would be taken", async () => {
    const send = (headers: Record<string, string>) => server.send("POST", "/orders", placement(), headers)
    const typed = await send({ "content-type": "text/plain" })
    assert.deepStrictEqual([typed.status, typed.headers.get("accept")], [415, "application/json"])
    assert.isNull(typed.headers.get("accept-encoding"))
    const encoded = await send({ "content-encoding": "gzip" })
    assert.deepStrictEqual([encoded.status, encoded.headers.get("accept-encoding")], [415, "identity"])
    assert.isNull(encoded.headers.get("accept"))
  })
})

describe("a path", () => {
  it("has no other names with parameters in it", async () => {
    for (const path of ["/orders;limit=1", "/orders;", "/orders/counts;x", "/;", "/health/live;jsessionid=1"]) {
      const { body, status } = await call(server.url, "GET", path)
      assert.deepStrictEqual([status, body.type], [404, "/problems/not-found"], path)
    }
    const { status } = await refused(["GET /health/live#x HTTP/1.1", "Host: localhost", "Connection: close"])
    assert.strictEqual(status, 404)
    assert.strictEqual((await server.get("/openapi.json?a=1;b=2")).status, 200)
  })
})
