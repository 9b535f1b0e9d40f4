import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { connect } from "node:net"
import { start, stub, type TestServer } from "../../../harness/servers/ApiServer.ts"
import { problemOf, raw, type RawAnswer } from "../../../harness/clients/RawClient.ts"

let server: TestServer
/** Its limits are too long for any test, so a connection that it closes is closed for another reason. */
let patient: TestServer
const limits = (each: Duration.Duration) => ({
  orders: stub({}),
  limits: { headers: each, body: each, keepAlive: each }
})
beforeAll(async () => {
  server = await start(limits(Duration.seconds(1)))
  patient = await start(limits(Duration.hours(1)))
})
afterAll(async () => {
  await server.stop()
  await patient.stop()
})

const head = "POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
const slug = (answer: RawAnswer): string => problemOf(answer).type

describe("limits of the connection", () => {
  it("refuses a body that is declared too large without reading it", async () => {
    const answer = await raw(patient.port, [`${head}Content-Length: 1000000000\r\n\r\n`, "x"])
    assert.deepStrictEqual([answer.status, slug(answer)], [413, "/problems/content-too-large"])
  })

  it("refuses a body that turns out too large, and stops reading it", async () => {
    const chunk = `10000\r\n${" ".repeat(65_536)}\r\n`
    function* endless() {
      yield `${head}Transfer-Encoding: chunked\r\n\r\n`
      for (let count = 0; count < 4096; count++) yield chunk
    }
    const answer = await raw(patient.port, endless())
    assert.deepStrictEqual([answer.status, slug(answer)], [413, "/problems/content-too-large"])
    assert.match(answer.text, /connection: close/i)
    // The body is twice as large; the operating system takes some of it though the server does not read.
    assert.isBelow(answer.sent, 128 * 1024 * 1024)
  })

  it("does not ask for a body that it would refuse", async () => {
    const answer = await raw(server.port, [`${head}Content-Length: 1000000000\r\nExpect: 100-continue\r\n\r\n`])
    assert.strictEqual(answer.status, 413)
  })

  it("closes on headers that do not come to an end", async () => {
    const answer = await raw(server.port, ["GET / HTTP/1.1\r\nHost: localhost\r\n", "X-A: 1\r\n", "X-B: 1\r\n"], 300)
    assert.deepStrictEqual([answer.status, slug(answer)], [408, "/problems/request-timeout"])
    assert.isBelow(answer.closedAfter, 3000)
  })

  it("closes on a body that does not come to an end", async () => {
    const answer = await raw(server.port, [`${head}Content-Length: 100\r\n\r\n`, "{", '"', "a", '"', ":", "1"], 250)
    assert.deepStrictEqual([answer.status, slug(answer)], [408, "/problems/request-timeout"])
    assert.isBelow(answer.closedAfter, 3000)
  })

  it("closes a connection that is not used", async () => {
    const answer = await raw(server.port, ["GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"])
    assert.strictEqual(answer.status, 200)
    assert.isBelow(answer.closedAfter, 4000)
  })

  it("answers what is no HTTP with a problem, and closes", async () => {
    for (const [name, bytes] of [
      ["garbage", "\u0016\u0003\u0001 hello\r\n\r\n"],
      ["two lengths", `${head}Content-Length: 1\r\nContent-Length: 2\r\n\r\nx`],
      ["length and chunks", `${head}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`],
      ["a folded header", "GET / HTTP/1.1\r\nHost: localhost\r\nX: 1\r\n 2\r\n\r\n"],
      ["no host", "GET /health/live HTTP/1.1\r\n\r\n"]
    ] as const) {
      const answer = await raw(patient.port, [bytes])
      assert.deepStrictEqual([answer.status, slug(answer)], [400, "/problems/invalid-request"], name)
    }
  })

  it("refuses headers of more than 16 KiB", async () => {
    const answer = await raw(server.port, [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(17_000)}\r\n\r\n`])
    assert.strictEqual(answer.status, 431)
  })

  it("does not know TRACE", async () => {
    const trace = await raw(server.port, ["TRACE /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"])
    assert.deepStrictEqual([trace.status, slug(trace)], [405, "/problems/method-not-allowed"])
  })

  const half = "GET / HTTP/1.1\r\nHost: localhost\r\n"

  it("does not let others wait for slow callers", async () => {
    let left = 0
    const slow = Array.from({ length: 200 }, () => connect(patient.port, "127.0.0.1"))
    for (const socket of slow) socket.once("close", () => (left += 1)).write(half)
    for (let count = 0; count < 50; count++) assert.strictEqual((await patient.get("/health/live")).status, 200)
    assert.strictEqual(left, 0)
    for (const socket of slow) socket.destroy()
  })

  it("closes on each of many slow callers", async () => {
    const slow = Array.from({ length: 200 }, () => raw(server.port, [half]))
    for (const { status } of await Promise.all(slow)) assert.strictEqual(status, 408)
  })
})
