import { assert, it } from "@effect/vitest"
import { Duration } from "effect"
import { connect } from "node:net"
import { start, stub } from "./harness.ts"

const ask = "GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n"

it("a request that came while the server was held up for longer than it keeps idle connections is answered", async () => {
  const server = await start({ orders: stub({}), limits: { keepAlive: Duration.millis(100) } })
  const socket = connect(server.port, "127.0.0.1")
  let text = ""
  socket.on("data", (bytes) => (text += String(bytes))).on("error", () => {})
  const closed = new Promise((resolve) => socket.once("close", resolve))
  socket.write(ask)
  await new Promise((resolve) => socket.once("data", resolve))
  socket.write(ask)
  // Node keeps them for a second more.
  for (const end = performance.now() + 1_500; performance.now() < end;);
  // Nothing more comes, so then it is closed.
  await closed
  assert.lengthOf(text.match(/HTTP\/1\.1 200/g) ?? [], 2)
  await server.stop()
})
