import { NodeHttpClient } from "@effect/platform-node"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Stream } from "effect"
import { connect, createServer, type Socket } from "node:net"
import * as EventStreamClient from "../../../../src/http/client/EventStreamClient.ts"
import { positionOf, type Push, type SubscribeOptions } from "../../../../src/orders/Subscription.ts"
import { placement } from "../../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start({ push: { heartbeat: Duration.millis(100) } }))
})
afterAll(() => server.stop())

const place = (count: number) =>
  Effect.promise(async () => {
    let position = 0n
    for (let placed = 0; placed < count; placed++) {
      position = BigInt((await server.send("POST", "/orders", placement())).body.position)
    }
    return position
  })

/** A connection breaks after so many bytes: after some events, in the middle of another. */
const passed = 8_000

/** Forwards connections to the server, each of which breaks after so many bytes. */
const cable = Effect.acquireRelease(
  Effect.callback<{
    readonly url: string
    readonly close: () => void
    readonly connections: () => number
  }>((resume) => {
    const sockets = new Set<Socket>()
    let connections = 0
    const proxy = createServer((client) => {
      connections += 1
      const upstream = connect(server.port, "127.0.0.1")
      for (const [from, to] of [
        [client, upstream],
        [upstream, client]
      ] as const) {
        sockets.add(from)
        from.on("error", () => {})
        from.on("close", () => to.destroy())
      }
      client.pipe(upstream)
      let left = passed
      upstream.on("data", (bytes) => {
        if (left === 0) return
        const part = bytes.subarray(0, left)
        left -= part.length
        client.write(part, () => left === 0 && client.destroy())
      })
    })
    const cut = () => {
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    }
    proxy.listen(0, "127.0.0.1", () => {
      const address = proxy.address()
      const port = typeof address === "object" ? address?.port : 0
      const close = () => {
        proxy.close()
        cut()
      }
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close, connections: () => connections }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

const subscribe = Effect.fnUntraced(function* (url: string, options?: SubscribeOptions, more: object = {}) {
  const subscribe = yield* EventStreamClient.make({ url, backoff: "50 millis", ...more })
  return yield* subscribe(options)
})

const positions = (pushes: ReadonlyArray<Push>) => pushes.filter(({ _tag }) => _tag === "Event").map(positionOf)

const isAt = (position: bigint) => (push: Push) => push._tag === "Event" && positionOf(push) >= position

describe("a subscription from afar", () => {
  it.live("is the same stream as in process", () =>
    Effect.gen(function* () {
      const pushes = yield* subscribe(server.url)
      const position = yield* place(2)
      const got = yield* pushes.pipe(Stream.takeUntil(isAt(position)), Stream.runCollect)
      assert.strictEqual(got.find(({ _tag }) => _tag !== "Heartbeat")?._tag, "CaughtUp")
      assert.deepStrictEqual(positions(got), [position - 3n, position - 2n, position - 1n, position])
      const placed = got.find(({ _tag }) => _tag === "Event")
      assert.containSubset(placed, { _tag: "Event", ahead: false, event: { type: "order.placed.v1", version: 1 } })
    }).pipe(Effect.provide(NodeHttpClient.layerFetch))
  )

  it.live("goes on where it was, however often the connection is cut", () =>
    Effect.gen(function* () {
      const { connections, url } = yield* cable
      const start = yield* place(1)
      const pushes = yield* subscribe(url, { after: start })
      const reading = yield* pushes.pipe(Stream.takeUntil(isAt(start + 100n)), Stream.runCollect, Effect.forkChild)
      yield* place(50)
      const got = yield* Fiber.join(reading)
      assert.deepStrictEqual(
        positions(got),
        Array.from({ length: 100 }, (_, index) => start + BigInt(index) + 1n)
      )
      assert.isAtMost(got.filter(({ _tag }) => _tag === "CaughtUp").length, 1)
      assert.isAbove(connections(), 5)
    }).pipe(Effect.provide(NodeHttpClient.layerFetch))
  )

  it.live("goes on after where it began, sent with its check, if nothing more came on a connection", () =>
    Effect.gen(function* () {
      let asked = 0
      const ids: Array<string | undefined> = []
      const mute = yield* Effect.acquireRelease(
        Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
          const silent = createServer((socket) => {
            socket.once("data", (bytes) => {
              asked += 1
              ids.push(/last-event-id: (\S+)/i.exec(String(bytes))?.[1])
            })
            socket.write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 1000\n\n")
            const control = { control: "heartbeat", position: 7, after: "7.0123456789ab" }
            socket.write(`id: ${control.after}\nevent: heartbeat\ndata: ${JSON.stringify(control)}\n\n`)
            socket.on("error", () => {})
          })
          silent.listen(0, "127.0.0.1", () => {
            const address = silent.address()
            const port = typeof address === "object" ? address?.port : 0
            resume(Effect.succeed({ url: `http://127.0.0.1:${port}`, close: () => silent.close() }))
          })
        }),
        ({ close }) => Effect.sync(close)
      )
      const pushes = yield* subscribe(mute.url, {}, { silence: "50 millis" })
      yield* Effect.raceFirst(Stream.runDrain(pushes), Effect.repeat(Effect.yieldNow, { until: () => asked > 2 }))
      assert.isAbove(asked, 2)
      assert.deepStrictEqual(ids.slice(0, 3), [undefined, "7.0123456789ab", "7.0123456789ab"])
    }).pipe(Effect.provide(NodeHttpClient.layerFetch))
  )

  it.live("fails at once if it is refused, and if nobody is there", () =>
    Effect.gen(function* () {
      const refused = yield* Effect.flip(subscribe(server.url, { after: 999_999n }))
      assert.containSubset(refused, { _tag: "InvalidPosition", position: 999_999n })
      const nobody = yield* Effect.flip(subscribe("http://127.0.0.1:1"))
      assert.strictEqual(nobody._tag, "ServerUnreachable")
      const wrong = yield* Effect.flip(subscribe(server.url, { orderId: "17" }))
      assert.match(wrong.message, /answered 400/)
    }).pipe(Effect.provide(NodeHttpClient.layerFetch))
  )
})
