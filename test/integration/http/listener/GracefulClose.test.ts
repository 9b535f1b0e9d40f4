import { assert, it } from "vitest"
import { Duration } from "effect"
import { now } from "../../../../harness/clocks/RunningTime.ts"
import { start } from "../../../../harness/servers/ApiServer.ts"
import { raw } from "../../../../harness/clients/RawClient.ts"

const whole = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n"

it.each([
  ["nothing was ever sent", [], 0],
  ["half a request was sent", [whole.slice(0, -5)], 0],
  ["half a request was sent after a whole one", [whole + whole.slice(0, -5)], 200]
])("a server that ends does not wait for connections on which %s", async (_, sent, status) => {
  const server = await start({ limits: { headers: Duration.seconds(60), shutdown: Duration.seconds(30) } })
  const spare = Array.from({ length: 5 }, () => raw(server.port, sent))
  // Connections are accepted in order, so the spare ones have been accepted by then.
  await server.get("/health/live")
  const began = now()
  await server.stop()
  assert.isBelow(now() - began, 5_000)
  for (const answer of await Promise.all(spare)) assert.strictEqual(answer.status, status)
})
