import { once } from "node:events"
import { type AddressInfo, connect } from "node:net"
import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { patientLimits } from "../../../../harness/servers/ApiServer.ts"
import { untilSo } from "../../../../harness/clocks/Until.ts"
import * as Listener from "../../../../src/http/listener/Listener.ts"
import type { HttpLimits } from "../../../../src/http/listener/HttpLimits.ts"

const ask = (path = "/") => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`

/** No socket's buffers hold as much. */
const large = Buffer.alloc(64 * 1024 * 1024)

const serve = async (limits: Partial<HttpLimits>) => {
  const server = Effect.runSync(Listener.make({ ...patientLimits, ...limits }))()
  server.on("request", ({ url }, response) => response.end(url === "/large" ? large : "hello"))
  await once(server.listen(0, "127.0.0.1"), "listening")
  const open = () => new Promise<number>((resolve) => server.getConnections((_, count) => resolve(count)))
  const dial = () => connect((server.address() as AddressInfo).port, "127.0.0.1").on("error", () => {})
  return { server, open, dial, stop: () => new Promise((resolve) => server.close(resolve)) }
}

it("API4: a caller who does not take the answer is hung up on; an idle one that took it is not", async () => {
  const { dial, open, server, stop } = await serve({ answer: Duration.millis(40) })
  const [slow, idle] = [dial().pause(), dial()]
  const answered = once(server, "request")
  slow.write(ask("/large"))
  await answered
  idle.write(ask())
  await once(idle, "data")
  await untilSo(async () => (await open()) === 1, { what: "The end of the slow connection" })
  idle.write(ask())
  await once(idle, "data")
  idle.destroy()
  slow.destroy()
  await stop()
})

it("API4: a connection beyond the limit is closed at once, and one may come when another has gone", async () => {
  const { dial, stop } = await serve({ connections: 2 })
  const answers = (socket: ReturnType<typeof dial>) =>
    new Promise<boolean>((resolve) => {
      socket.once("data", () => resolve(true)).once("close", () => resolve(false))
      socket.write(ask())
    })
  const [first, second] = [dial(), dial()]
  assert.isTrue(await answers(first))
  assert.isTrue(await answers(second))
  assert.isFalse(await answers(dial()))
  first.destroy()
  await untilSo(async () => {
    const next = dial()
    const isAnswered = await answers(next)
    next.destroy()
    return isAnswered
  })
  second.destroy()
  await stop()
})
