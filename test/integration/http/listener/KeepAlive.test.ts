import { assert, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { once } from "node:events"
import { type AddressInfo, connect } from "node:net"
import { defaults } from "../../../../src/http/listener/HttpLimits.ts"
import * as Listener from "../../../../src/http/listener/Listener.ts"

const ask = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

it("a request that came while the server was held up for longer than it keeps idle connections is answered", async () => {
  const server = Effect.runSync(Listener.make({ ...defaults, keepAlive: Duration.millis(100) }))()
  server.on("request", (_, response) => response.end())
  await once(server.listen(0, "127.0.0.1"), "listening")
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1")
  let text = ""
  socket.on("data", (bytes) => (text += String(bytes))).on("error", () => {})
  const closed = once(socket, "close")
  server.once("request", (_, response) => {
    // The idle time begins in the same step.
    response.once("finish", () =>
      process.nextTick(() => {
        socket.write(ask)
        // Node keeps idle connections for a second more.
        for (const end = performance.now() + 1_500; performance.now() < end;);
      })
    )
  })
  socket.write(ask)
  // The connection is closed once nothing more comes.
  await closed
  assert.lengthOf(text.match(/HTTP\/1\.1 200/g) ?? [], 2)
  server.close()
})
