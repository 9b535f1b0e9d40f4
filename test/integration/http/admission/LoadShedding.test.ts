import { once } from "node:events"
import { Agent, request, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { onTestFinished } from "vitest"
import { patientLimits } from "../../../../harness/servers/ApiServer.ts"
import { untilSo } from "../../../../harness/clocks/Until.ts"
import { problemFault } from "../../../../harness/judges/AnswerJudge.ts"
import * as LoadShedding from "../../../../src/http/admission/LoadShedding.ts"
import * as Listener from "../../../../src/http/listener/Listener.ts"

const room = 256

/** A server that answers nothing until it is told to, but what its shedder refuses. */
const serve = async () => {
  // With this target the rate that is assumed at first lets in no more than the fewest.
  const shedder = LoadShedding.make(Duration.millis(1))
  const server = shedder.protect(Effect.runSync(Listener.make(patientLimits))())
  const waiting: Array<ServerResponse> = []
  server.on("request", (_, response) => waiting.push(response))
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
    const answer = new Promise<{ readonly status: number; readonly retryAfter: string; readonly fault: unknown }>(
      (resolve) => {
        sending.on("error", () => resolve({ status: 0, retryAfter: "", fault: undefined }))
        sending.on("response", (response) => {
          let text = ""
          response
            .on("data", (bytes) => (text += String(bytes)))
            .on("end", () => {
              const header = (name: string) => response.headers[name]?.toString() ?? null
              const status = response.statusCode ?? 0
              const fault = status < 400 ? undefined : problemFault({ status, header, body: JSON.parse(text) })
              resolve({ status, retryAfter: header("retry-after") ?? "", fault })
            })
        })
      }
    )
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
  return { send, sendHalf, waiting, answerAll: () => waiting.splice(0).forEach((response) => response.end()) }
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
  assert.strictEqual((await send("POST", "/orders", { prefer: "wait=5" })).status, 503)
  const others = [
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

it("as many are let in as are answered in the time that one may wait: the rate is that of a queue", () => {
  const after = (rate: number, answered: number, isQueued: boolean) => {
    for (let count = 0; count < 60; count++) rate = LoadShedding.rateAfter(rate, answered, 100, isQueued)
    return Math.round(rate * 1_000)
  }
  assert.strictEqual(after(2, 1, false), 2_000)
  assert.strictEqual(after(2, 300, true), 3_000)
  assert.strictEqual(after(2, 0, true), 0)
  assert.strictEqual(after(0, 50, true), 500)
})
