/** One request to a receiver that does as it likes, by real sockets. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { once } from "node:events"
import { createServer, type RequestListener } from "node:http"
import { type AddressInfo, createServer as createTcpServer } from "node:net"
import { Webhook } from "standardwebhooks"
import { Resolver } from "../../../src/webhooks/PublicAddresses.ts"
import { makeSecret } from "../../../src/webhooks/Signatures.ts"
import { defaults, WebhookOptions } from "../../../src/webhooks/WebhookOptions.ts"
import * as WebhookRequest from "../../../src/webhooks/WebhookRequest.ts"

const options: WebhookOptions = { ...defaults, allowHttp: true, allowedNetworks: ["127.0.0.1"] }
const patient = { ...options, timeout: Duration.minutes(5) }

const secret = makeSecret()
const message = (url: string): WebhookRequest.Message => ({ url, secrets: [secret], id: "event", body: `{"a":1}` })

/** A server on a free port, and how many connections it had. */
const receiver = Effect.fnUntraced(function* (listener: RequestListener, settings: { keepAliveTimeout?: number } = {}) {
  const server = createServer(settings, listener)
  let connections = 0
  server.on("connection", () => (connections += 1))
  yield* Effect.acquireRelease(
    Effect.promise(() => once(server.listen(0, "127.0.0.1"), "listening")),
    () => Effect.sync(() => server.closeAllConnections()).pipe(Effect.andThen(Effect.sync(() => server.close())))
  )
  const { port } = server.address() as AddressInfo
  return { port, url: `http://127.0.0.1:${port}/`, connections: () => connections, server }
})

const answerTo = (url: string, given: WebhookOptions = patient, resolver?: (typeof Resolver)["Service"]) =>
  Effect.flatMap(WebhookRequest.make, (send) => send(message(url))).pipe(
    Effect.provideService(WebhookOptions, given),
    Effect.provideService(Resolver, resolver ?? (() => Promise.reject(new Error("no such name"))))
  )

describe("a request", () => {
  it.live("is delivered by any 2xx, with headers that the Standard Webhooks library verifies", () =>
    Effect.gen(function* () {
      const seen: Array<unknown> = []
      const { url } = yield* receiver((request, response) => {
        request.on("data", (body: Buffer) => {
          seen.push(new Webhook(secret).verify(body.toString(), request.headers as Record<string, string>))
          seen.push(request.method, request.headers["content-type"], request.headers["webhook-id"])
        })
        request.on("end", () => response.writeHead(202).end("thanks"))
      })
      assert.deepStrictEqual(yield* answerTo(url), { isDelivered: true, status: 202 })
      assert.deepStrictEqual(seen, [{ a: 1 }, "POST", "application/cloudevents+json", "event"])
    })
  )

  it.live.each([
    [500, {}, {}],
    [404, {}, {}],
    [410, {}, { isGone: true }],
    [429, { "retry-after": "7" }, { retryAfter: 7 }],
    [503, { "retry-after": "99999999" }, { retryAfter: 86_400 }],
    [400, { "retry-after": "7" }, {}],
    [503, { "retry-after": "soon" }, {}]
  ] as const)("fails by %s %o", ([status, headers, expected]) =>
    Effect.gen(function* () {
      const { url } = yield* receiver((_, response) => response.writeHead(status, headers).end())
      const problem = `The receiver answered ${status}.`
      assert.deepStrictEqual(yield* answerTo(url), { isDelivered: false, status, problem, ...expected })
    })
  )

  it("reads Retry-After as a date as well", () => {
    const now = Date.parse("2026-11-28T10:00:00Z")
    assert.strictEqual(WebhookRequest.retryAfter("Sat, 28 Nov 2026 10:01:30 GMT", now), 90)
    assert.strictEqual(WebhookRequest.retryAfter("Sat, 28 Nov 2026 09:00:00 GMT", now), 0)
  })

  it.live("follows no redirect", () =>
    Effect.gen(function* () {
      let isCalled = false
      const inner = yield* receiver((_, response) => {
        isCalled = true
        response.end()
      })
      const { url } = yield* receiver((_, response) => response.writeHead(307, { location: inner.url }).end())
      const answer = yield* answerTo(url)
      assert.deepInclude(answer, { isDelivered: false, status: 307 })
      assert.isFalse(isCalled)
    })
  )

  it.live("ends in time with a receiver that never answers, and with one that begins and never ends", () =>
    Effect.gen(function* () {
      const silent = yield* receiver(() => {})
      const slow = yield* receiver((_, response) => response.writeHead(200).write("…"))
      const within = (seconds: number) => ({ ...options, timeout: Duration.seconds(seconds) })
      assert.match(JSON.stringify(yield* answerTo(silent.url, within(0.2))), /"isDelivered":false.* after 0\.2|200 ms/)
      // However slow this machine is, the status is there in one of these times.
      let answer: WebhookRequest.Answer | undefined
      for (const seconds of [0.2, 1, 5, 60, 300]) {
        if (answer?.isDelivered !== true) answer = yield* answerTo(slow.url, within(seconds))
      }
      assert.deepStrictEqual(answer, { isDelivered: true, status: 200 })
    })
  )

  it.live("reads only the beginning of an answer", () =>
    Effect.gen(function* () {
      let written = 0
      const { url } = yield* receiver((_, response) => {
        response.writeHead(200)
        const more = () => {
          while (!response.destroyed && written < 1024 ** 3) {
            written += 65_536
            if (!response.write(Buffer.alloc(65_536))) return
          }
        }
        response.on("drain", more)
        more()
      })
      assert.deepStrictEqual(yield* answerTo(url), { isDelivered: true, status: 200 })
      assert.isBelow(written, 64 * 1024 ** 2)
    })
  )

  it.live("is refused an address that may not be called: as it is written, by name, or by a name that changes", () =>
    Effect.gen(function* () {
      const { connections, port } = yield* receiver((_, response) => response.end())
      const nowhere = { ...patient, allowedNetworks: [] }
      const refusedBy = (url: string, ...addresses: ReadonlyArray<string>) => {
        const left = [...addresses]
        return answerTo(url, nowhere, () => Promise.resolve([{ address: left.shift() ?? "127.0.0.1", family: 4 }]))
      }
      const literal = yield* refusedBy(`http://127.0.0.1:${port}/`)
      assert.deepStrictEqual(literal, {
        isDelivered: false,
        problem: "The URL may not be called: 127.0.0.1 is a loopback address, which may not be called."
      })
      const named = yield* refusedBy(`http://shop.example:${port}/`)
      assert.deepStrictEqual(named, {
        isDelivered: false,
        problem: "shop.example: 127.0.0.1 is a loopback address, which may not be called"
      })
      assert.strictEqual(connections(), 0)
    })
  )

  it.live("connects to the very address that was judged, whatever the name means a moment later", () =>
    Effect.gen(function* () {
      const hosts: Array<string | undefined> = []
      const { port } = yield* receiver((request, response) => {
        hosts.push(request.headers.host)
        response.end()
      })
      let asked = 0
      // The name means the one address that is allowed when it is judged, and another one from then on.
      const rebinding = () => Promise.resolve([{ address: asked++ === 0 ? "127.0.0.1" : "127.0.0.2", family: 4 }])
      assert.deepStrictEqual(yield* answerTo(`http://shop.example:${port}/`, patient, rebinding), {
        isDelivered: true,
        status: 200
      })
      assert.strictEqual(asked, 1)
      assert.deepStrictEqual(hosts, [`shop.example:${port}`])
      const rebound = yield* answerTo(`http://shop.example:${port}/`, patient, rebinding)
      assert.match(JSON.stringify(rebound), /127\.0\.0\.2 is a loopback address/)
      assert.lengthOf(hosts, 1)
    })
  )

  it.live("says what failed where there is no receiver, or none that speaks HTTP", () =>
    Effect.gen(function* () {
      const closed = yield* receiver(() => {})
      closed.server.close()
      const refused = yield* answerTo(closed.url)
      assert.match(JSON.stringify(refused), /ECONNREFUSED/)
      const server = createTcpServer((socket) => socket.end("no HTTP\r\n\r\n"))
      yield* Effect.acquireRelease(
        Effect.promise(() => once(server.listen(0, "127.0.0.1"), "listening")),
        () => Effect.sync(() => server.close())
      )
      const { port } = server.address() as AddressInfo
      assert.match(JSON.stringify(yield* answerTo(`http://127.0.0.1:${port}/`)), /"isDelivered":false.*Parse Error/)
      assert.match(JSON.stringify(yield* answerTo("http://nowhere.example/")), /no such name/)
    })
  )

  it.live("uses a connection again, and takes another one if the receiver has closed it", () =>
    Effect.gen(function* () {
      let isClosing = false
      const { connections, url } = yield* receiver((request, response) => {
        request.resume()
        if (isClosing && request.socket.bytesRead > 0 && connections() === 1) request.socket.resetAndDestroy()
        else response.end()
      })
      yield* Effect.gen(function* () {
        const send = yield* WebhookRequest.make
        yield* send(message(url))
        yield* send(message(url))
        assert.strictEqual(connections(), 1)
        isClosing = true
        assert.deepStrictEqual(yield* send(message(url)), { isDelivered: true, status: 200 })
        assert.strictEqual(connections(), 2)
      }).pipe(Effect.provideService(WebhookOptions, patient))
    })
  )
})
