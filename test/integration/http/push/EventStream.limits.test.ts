/** Tests the limits that end an event stream, and what keeps it alive. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import { connect } from "node:net"
import { now } from "../../../../harness/clocks/RunningTime.ts"
import * as EventSocket from "../../../../src/http/push/EventSocket.ts"
import { defaults } from "../../../../src/http/push/PushLimits.ts"
import { placement } from "../../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../../harness/servers/ApiServer.ts"
import { problemOf, raw } from "../../../../harness/clients/RawClient.ts"
import { followSse, followWs } from "../../../../harness/streams/StreamConnection.ts"

const isHeartbeat = ({ name }: { readonly name: string }) => name === "heartbeat"

const handshake = (extra: ReadonlyArray<string> = []) =>
  [
    "GET /events/ws HTTP/1.1",
    "Host: localhost",
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    ...extra
  ].join("\r\n") + "\r\n\r\n"

const failure = (promise: Promise<unknown>) => promise.then(() => "opened", String)

describe("an event stream's limits", () => {
  let server: TestServer
  const heartbeat = Duration.millis(60)
  const origins = ["https://shop.example"]
  beforeAll(async () => {
    server = await withCatalog(await start({ push: { heartbeat }, sites: { origins } }))
  })
  afterAll(() => server.stop())
  const followers = {
    SSE: () => followSse(server.url, "?customerId=nobody"),
    WebSocket: () => followWs(server.url, "?customerId=nobody")
  }

  it.each(["SSE", "WebSocket"] as const)(
    "says how far it is every so often, also if nothing matches: %s",
    async (kind) => {
      const follower = await followers[kind]()
      const first = await follower.until(isHeartbeat)
      const { body } = await server.send("POST", "/orders", placement())
      const later = await follower.until(({ name, position }) => name === "heartbeat" && position >= body.position)
      assert.containSubset(later.data, { control: "heartbeat", position: later.position })
      assert.isAbove(later.position, first.position)
      assert.deepStrictEqual(follower.positions(), [])
      follower.cut()
      const resumed = await followSse(server.url, `?after=${later.data.after}`)
      assert.strictEqual((await resumed.until(({ name }) => name === "caught-up")).position, later.position)
      resumed.cut()
    }
  )

  it("opens WebSockets to programs, to its own pages and to those of allowed origins, to no others", async () => {
    for (const origin of [undefined, server.url, origins[0]!]) {
      const follower = await followWs(server.url, "", { headers: origin === undefined ? {} : { origin } })
      follower.cut()
    }
    for (const origin of ["https://evil.example", "null", "", "http://127.0.0.1:1", `${server.url}.evil.example`]) {
      assert.match(await failure(followWs(server.url, "", { headers: { origin } })), /answered 403/, origin)
    }
    const refused = await raw(server.port, [handshake(["Origin: https://evil.example"])])
    assert.deepStrictEqual([refused.status, problemOf(refused).type], [403, "/problems/foreign-origin"])
  })

  it("offers its subprotocol, and none but that", async () => {
    const ours = await followWs(server.url, "", { protocols: ["other", "cloudevents.json"] })
    assert.strictEqual(ours.socket.protocol, "cloudevents.json")
    ours.cut()
    assert.match(await failure(followWs(server.url, "", { protocols: ["other"] })), /no subprotocol/i)
  })

  it("refuses with a problem document before it becomes a WebSocket", async () => {
    assert.match(await failure(followWs(server.url, "?after=999999999")), /answered 400/)
    assert.match(await failure(followWs(server.url, "", { headers: { "last-event-id": "x" } })), /answered 400/)
    const plain = await server.get("/events/ws")
    assert.deepStrictEqual([plain.status, plain.body.errors[0].path], [400, "header.upgrade"])
    const keyless = await raw(server.port, [handshake().replace("AAAA==", "==")])
    assert.deepStrictEqual([keyless.status, problemOf(keyless).errors[0].path], [400, "header.sec-websocket-key"])
    const old = await raw(server.port, [handshake().replace("Version: 13", "Version: 8")])
    assert.deepStrictEqual([old.status, problemOf(old).status], [426, 426])
    assert.match(old.text, /^sec-websocket-version: 13\r$/im)
    assert.match(old.text, /^upgrade: websocket\r$/im)
  })

  it("takes no large messages, no binary rubbish and not many messages of a client", async () => {
    const large = await followWs(server.url)
    large.socket.send("x".repeat(64 * 1024))
    const { position } = await large.until(isHeartbeat)
    assert.isAtLeast(position, 0)
    large.socket.send("x".repeat(64 * 1024 + 1))
    assert.strictEqual((await large.ended).code, 1009)
    const rubbish = await followWs(server.url)
    rubbish.socket.send(Buffer.of(0xff, 0xfe), { binary: false })
    assert.strictEqual((await rubbish.ended).code, 1007)
    const talkative = await followWs(server.url)
    for (let count = 0; count < 50; count++) talkative.socket.send("?")
    const { code, reason } = await talkative.ended
    assert.strictEqual(code, 1008)
    assert.match(reason, /^too many messages/)
  })

  it("has an end when the client says so", async () => {
    const follower = await followWs(server.url)
    follower.socket.close(1000)
    assert.strictEqual((await follower.ended).code, 1000)
  })
})

describe("an event stream", () => {
  it("ends when the server does: with where to go on, and at once", async () => {
    const server = await withCatalog(await start())
    const [sse, ws, deaf] = [await followSse(server.url), await followWs(server.url), await followWs(server.url)]
    const { position } = await sse.until(({ name }) => name === "caught-up")
    await ws.until(({ name }) => name === "caught-up")
    deaf.stopReading()
    const began = now()
    await server.stop()
    assert.deepStrictEqual(await sse.ended, { code: 0, reason: "" })
    assert.deepStrictEqual([sse.messages.at(-1)!.name, sse.last()], ["heartbeat", position])
    const { code, reason } = await ws.ended
    assert.strictEqual(code, 1001)
    assert.match(reason, new RegExp(`^draining; resume after ${position}[.][0-9a-f]{12}$`))
    assert.isBelow(now() - began, 4000)
  })

  it("that is a WebSocket whose client does not read ends with 4008, and where to go on, if it reads again in time", async () => {
    const limits = { stall: Duration.millis(100), close: Duration.zero, slowClose: Duration.seconds(30) }
    const logs: Array<string> = []
    const server = await withCatalog(await start({ push: limits, logs: (line) => logs.push(line) }))
    const lines = Array.from({ length: 500 }, () => ({ productId: "mug", quantity: 1 }))
    const slow = await followWs(server.url)
    await slow.until(({ name }) => name === "caught-up")
    slow.stopReading()
    while (!logs.some((line) => line.includes("cut off"))) await server.send("POST", "/orders", placement({ lines }))
    slow.startReading()
    const { code, reason } = await slow.ended
    assert.strictEqual(code, 4008)
    assert.match(reason, new RegExp(`^slow consumer; resume after ${slow.last()}[.][0-9a-f]{12}$`))
    await server.stop()
  })

  it("that is a WebSocket is given all of that time, however long", () => {
    const { closeTimeout } = EventSocket.options({ ...defaults, slowClose: Duration.minutes(10) })
    assert.strictEqual(closeTimeout, 600_000)
  })

  it("is refused if there are too many, and free again once one has ended", async () => {
    const server = await start({ push: { connections: 2 } })
    const open = [await followSse(server.url), await followWs(server.url)]
    const refused = await server.get("/events")
    assert.deepStrictEqual([refused.status, refused.body.type], [503, "/problems/overloaded"])
    assert.match(refused.headers.get("retry-after") ?? "", /^[1-9]\d*$/)
    const turnedAway = await (await followWs(server.url)).ended
    assert.strictEqual(turnedAway.code, 1013)
    for (const follower of open) follower.cut()
    for (const follow of [followSse, followWs]) {
      let opened = await failure(
        follow(server.url).then((follower) => follower.until(({ name }) => name === "caught-up"))
      )
      while (opened !== "opened")
        opened = await failure(
          follow(server.url).then((follower) => follower.until(({ name }) => name === "caught-up"))
        )
    }
    await server.stop()
  })

  it("hears an answer to a ping that came while the server was held up", async () => {
    const ping = Duration.millis(200)
    const server = await start({ push: { ping } })
    const follower = await followWs(server.url)
    const lost = follower.ended.then(({ code }) => assert.fail(`hung up on with ${code}`))
    const pinged = () => Promise.race([lost, new Promise((pinged) => follower.socket.once("ping", pinged))])
    for (let count = 0; count < 3; count++) {
      await pinged()
      // The client has answered by then, since it runs in this process.
      for (const end = performance.now() + 2 * Duration.toMillis(ping); performance.now() < end;);
    }
    await pinged()
    lost.catch(() => {})
    follower.cut()
    await server.stop()
  })

  it("pings WebSockets, and hangs up on one that does not answer", async () => {
    const server = await start({ push: { ping: Duration.millis(1_500) } })
    const alive = await followWs(server.url)
    let pings = 0
    alive.socket.on("ping", () => (pings += 1))
    // This client reads and never answers.
    const mute = connect(server.port, "127.0.0.1")
    mute.write(handshake())
    mute.resume()
    await new Promise((closed) => mute.once("close", closed))
    assert.isAbove(pings, 0)
    assert.strictEqual(alive.socket.readyState, alive.socket.OPEN)
    alive.cut()
    await server.stop()
  })
})
