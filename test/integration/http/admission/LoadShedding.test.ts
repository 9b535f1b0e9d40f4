import { once } from "node:events"
import { Agent, request, type ServerResponse } from "node:http"
import { type AddressInfo, connect } from "node:net"
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { onTestFinished } from "vitest"
import { patientLimits } from "../../../../harness/servers/ApiServer.ts"
import { untilSo } from "../../../../harness/clocks/Until.ts"
import { problemFault } from "../../../../harness/judges/AnswerJudge.ts"
import { rateAfter } from "../../../../src/http/admission/Lane.ts"
import * as LoadShedding from "../../../../src/http/admission/LoadShedding.ts"
import * as Listener from "../../../../src/http/listener/Listener.ts"
import * as OpenResponses from "../../../../src/http/transport/OpenResponses.ts"

const room = 256
const origin = "https://shop.example"

interface Answer {
  readonly status: number
  readonly retryAfter: string
  /** The origin whose pages may read it. */
  readonly allows: string | null
  readonly fault: unknown
}

/** A server that answers nothing until it is told to, but what its shedder refuses. */
const serve = async () => {
  // With this target the rate that is assumed at first lets in no more than the fewest.
  const shedder = LoadShedding.make(Duration.millis(1), [origin])
  const server = shedder.protect(Effect.runSync(Listener.make(patientLimits, (url) => url === "/events/ws"))())
  const waiting: Array<ServerResponse> = []
  const keep = (_: unknown, response: ServerResponse) => void waiting.push(response)
  server.on("request", keep).on("checkContinue", keep)
  server.on("upgrade", (_, socket) => void socket.on("error", () => {}).resume())
  await once(server.listen(0, "127.0.0.1"), "listening")
  const agent = new Agent({ keepAlive: true })
  const { port } = server.address() as AddressInfo
  const send = (method: string, path: string, headers = {}) => {
    const sending = request({
      port,
      host: "127.0.0.1",
      agent,
      method,
      path,
      headers: { host: "localhost", ...headers }
    })
    const answer = new Promise<Answer>((resolve) => {
      sending.on("error", () => resolve({ status: 0, retryAfter: "", allows: null, fault: undefined }))
      sending.on("response", (response) => {
        let text = ""
        response
          .on("data", (bytes) => (text += String(bytes)))
          .on("end", () => {
            const header = (name: string) => response.headers[name]?.toString() ?? null
            const status = response.statusCode ?? 0
            const fault = status < 400 ? undefined : problemFault({ status, header, body: JSON.parse(text) })
            resolve({
              status,
              retryAfter: header("retry-after") ?? "",
              allows: header("access-control-allow-origin"),
              fault
            })
          })
      })
    })
    sending.end(method === "POST" ? "{}" : undefined)
    return answer
  }
  const sendHalf = () => {
    const sending = request({
      port,
      host: "127.0.0.1",
      method: "POST",
      path: "/orders",
      headers: { host: "localhost" }
    })
    sending.on("error", () => {}).write("{")
    return sending
  }
  onTestFinished(async () => {
    agent.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  const dial = () => connect(port, "127.0.0.1").on("error", () => {})
  return {
    ...shedder,
    server,
    dial,
    send,
    sendHalf,
    waiting,
    answerAll: () => waiting.splice(0).forEach((response) => response.end())
  }
}

it("what would have to wait is refused at once with 503 and Retry-After, each kind for itself; probes and streams are let in", async () => {
  const { answerAll, send, waiting } = await serve()
  const commands = Array.from({ length: room }, () => send("POST", "/orders"))
  await untilSo(() => waiting.length === room && waiting.every(({ req }) => req.complete))
  for (let count = 0; count < 5; count++) {
    const { fault, retryAfter, status } = await send("POST", "/orders")
    assert.deepStrictEqual([status, fault], [503, undefined])
    assert.match(retryAfter, /^[1-3]$/)
  }
  const refused = await send("POST", "/orders", { prefer: "return=minimal", origin })
  assert.deepStrictEqual([refused.status, refused.allows], [503, origin])
  const others = [
    send("POST", "/orders", { prefer: "wait=5" }),
    send("OPTIONS", "/orders"),
    send("GET", "/orders"),
    send("GET", "/health/ready"),
    send("GET", "/events"),
    send("GET", "/events/ws")
  ]
  await untilSo(() => waiting.length === room + others.length)
  answerAll()
  for (const { status } of await Promise.all([...commands, ...others])) assert.strictEqual(status, 200)
  const again = send("POST", "/orders")
  await untilSo(() => waiting.length === 1)
  answerAll()
  assert.strictEqual((await again).status, 200)
})

it("callers who do not send the rest of their requests, or do not take their answers, take nobody's room", async () => {
  const { answerAll, send, sendHalf, waiting } = await serve()
  const halves = Array.from({ length: room }, sendHalf)
  await untilSo(() => waiting.length === room)
  const whole = send("POST", "/orders")
  await untilSo(() => waiting.length === room + 1)
  answerAll()
  assert.strictEqual((await whole).status, 200)
  for (const half of halves) half.destroy()
})

it("reads that wait for a view, or follow one another on a connection, take the room of no others", async () => {
  const { answerAll, dial, measure, open, send, waiting } = await serve()
  const token = { "consistency-token": "7.log" }
  const waits = Array.from({ length: room }, () => send("GET", "/orders", token))
  await untilSo(() => waiting.length === room)
  const other = send("GET", "/orders")
  await untilSo(() => waiting.length === room + 1)
  answerAll()
  for (const { status } of await Promise.all([...waits, other])) assert.strictEqual(status, 200)

  const ask = "GET /orders HTTP/1.1\r\nHost: localhost\r\n"
  const socket = dial()
  socket.write(
    `${`${ask}\r\n`.repeat(room)}${ask.replace("orders", "events/ws")}Connection: upgrade\r\nUpgrade: x\r\n\r\n`
  )
  await untilSo(() => waiting.length === room)
  assert.strictEqual(open().query, room)
  socket.resetAndDestroy()
  await untilSo(() => waiting.every(({ req }) => req.socket.destroyed))
  measure()
  assert.strictEqual(open().query, 0)
})

it("a request with Upgrade or Expect is counted like any other", async () => {
  const { open, send, server, waiting } = await serve()
  const known = OpenResponses.of(server)
  const answers = [
    send("GET", "/orders", { connection: "upgrade", upgrade: "websocket" }),
    send("POST", "/orders", { expect: "100-continue" })
  ]
  await untilSo(() => waiting.length === answers.length)
  assert.deepStrictEqual(open(), { query: 1, command: 1 })
  assert.strictEqual(known.size, answers.length)
  for (const response of waiting) response.end()
  for (const { status } of await Promise.all(answers)) assert.strictEqual(status, 200)
})

it("as many are let in as are answered in the time that one may wait: the rate is that of a queue", () => {
  const after = (rate: number, answered: number, isQueued: boolean) => {
    for (let count = 0; count < 60; count++) rate = rateAfter(rate, answered, 100, isQueued)
    return Math.round(rate * 1_000)
  }
  assert.strictEqual(after(2, 1, false), 2_000)
  assert.strictEqual(after(2, 300, true), 3_000)
  assert.strictEqual(after(2, 0, true), 0)
  assert.strictEqual(after(0, 50, true), 500)
})
