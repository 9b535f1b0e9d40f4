import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect } from "effect"
import { DatabaseUnavailable } from "../../../../src/database/DatabaseErrors.ts"
import { Draining } from "../../../../src/aggregate/CommandErrors.ts"
import { OrderId } from "../../../../src/order/OrderId.ts"
import type { Receipt } from "../../../../src/orders/Receipt.ts"
import { ProjectionBehind } from "../../../../src/projection/consistency/ConsistencyToken.ts"
import { placement } from "../../../../harness/fixtures/Shop.ts"
import { type Options, start, stub, type TestServer } from "../../../../harness/servers/ApiServer.ts"

const on = async (options: Options, test: (server: TestServer) => Promise<void>) => {
  const server = await start(options)
  try {
    await test(server)
  } finally {
    await server.stop()
  }
}

const receipt: Receipt = {
  orderId: OrderId.make("ord_01890000-0000-7000-8000-000000000000"),
  version: 2,
  position: 4n,
  commandId: "c",
  status: "confirmed",
  paymentStatus: "unpaid",
  events: [],
  token: "4.log",
  replayed: false
}

describe("the middleware around every request", () => {
  it("answers an unknown path with 404, a known one with 405 and what it allows", () =>
    on({ orders: stub({}) }, async (server) => {
      for (const path of ["/nope", "/orders/1/2/3", "//orders", "/ORDERS", "/orders/1/confirm/", "/health"]) {
        const method = path.endsWith("/confirm/") ? "GET" : "POST"
        const { body, status } = await server.send(method, path)
        assert.deepStrictEqual(
          [status, body.type],
          method === "GET" ? [405, "/problems/method-not-allowed"] : [404, "/problems/not-found"],
          path
        )
      }
      for (const [method, path, allow] of [
        ["DELETE", "/orders", "GET, HEAD, POST"],
        ["GET", "/orders/1/confirm", "POST"],
        ["PATCH", "/products/1", "DELETE, GET, HEAD, PUT"],
        ["POST", "/", "GET, HEAD"],
        ["POST", "/docs", "GET, HEAD"],
        ["POST", "/openapi.json", "GET, HEAD"],
        ["OPTIONS", "/health/live", "GET, HEAD"]
      ] as const) {
        const { body, headers, status } = await server.request(method, path)
        assert.deepStrictEqual([status, headers.get("allow"), body.allow], [405, allow, allow.split(", ")], path)
      }
    }))

  it("answers broken percent-encoding with 400", () =>
    on({ orders: stub({}) }, async (server) => {
      assert.strictEqual((await server.get("/orders/%E0%A4%A")).body.errors[0].path, "path")
      assert.strictEqual((await server.get("/nope/%ZZ")).status, 404)
    }))

  it("echoes a printable request id, and names a UUID in problems", () =>
    on({ orders: stub({}) }, async (server) => {
      const ask = async (id?: string) => {
        const { body, headers } = await server.get("/nope", id === undefined ? {} : { "x-request-id": id })
        return [headers.get("x-request-id"), body.instance as string] as const
      }
      const uuid = "0199aaaa-bbbb-4ccc-8ddd-eeeeffff0000"
      assert.deepStrictEqual(await ask(uuid), [uuid, `urn:uuid:${uuid}`])
      const [echo, instance] = await ask("my request")
      assert.strictEqual(echo, "my request")
      assert.notInclude(instance, "my request")
      const long = "x".repeat(129)
      assert.notStrictEqual((await ask(long))[0], long)
      const [made, own] = await ask()
      assert.strictEqual(own, `urn:uuid:${made}`)
      assert.notStrictEqual((await ask())[0], made)
    }))

  it("tells nothing of a defect but the id that its log line has", async () => {
    const logs: Array<string> = []
    const orders = stub({ list: () => Effect.die(new Error("the secret")) })
    await on({ orders, logs: (line) => logs.push(line) }, async (server) => {
      const { body, status, text } = await server.get("/orders")
      assert.deepStrictEqual([status, body.type], [500, "/problems/internal"])
      assert.notInclude(text, "secret")
      const line = logs.find((line) => line.includes("the secret"))
      assert.include(line, body.instance.slice("urn:uuid:".length))
    })
  })

  it("answers 500 to an answer that does not fit its schema", () =>
    on({ orders: stub({ place: () => Effect.succeed({ ...receipt, version: "two" as never }) }) }, async (server) => {
      assert.strictEqual((await server.send("POST", "/orders", placement())).body.type, "/problems/internal")
    }))

  it("gives up a request that takes too long: a query is overloaded, a command's outcome unknown", () => {
    const orders = stub({ list: () => Effect.never, place: () => Effect.never })
    return on({ orders, limits: { request: Duration.millis(100) } }, async (server) => {
      const list = await server.get("/orders")
      assert.deepStrictEqual([list.status, list.body.type], [503, "/problems/overloaded"])
      assert.strictEqual(list.body.detail, "The answer was not there after 0.1 s. Ask again in 1 s, or ask for less.")
      const placed = await server.send("POST", "/orders", placement())
      assert.deepStrictEqual([placed.status, placed.body.type], [503, "/problems/outcome-unknown"])
    })
  })

  it("does not count what the caller is willing to wait", () => {
    const orders = stub({
      place: () => Effect.succeed(receipt),
      get: () =>
        Effect.delay(
          Effect.fail(new ProjectionBehind({ required: 4n, current: 1n, retryAfter: 1 })),
          Duration.millis(1_200)
        )
    })
    return on({ orders, limits: { request: Duration.seconds(1) } }, async (server) => {
      const { body, headers, status } = await server.send("POST", "/orders", placement(), { prefer: "wait=30" })
      assert.deepStrictEqual([status, body.orderId], [202, receipt.orderId])
      assert.isNull(headers.get("preference-applied"))
    })
  })

  it("answers the receipt if the view can't be read back, whatever the reason", () => {
    const orders = stub({ place: () => Effect.succeed(receipt), get: () => Effect.die("broken") })
    return on({ orders }, async (server) => {
      assert.strictEqual((await server.send("POST", "/orders", placement(), { prefer: "wait=1" })).status, 202)
    })
  })

  it("waits thirty seconds at most, and only if it can read the preference", async () => {
    const waits: Array<unknown> = []
    const orders = stub({
      place: () => Effect.succeed(receipt),
      get: (_, options) => {
        waits.push(options?.wait)
        return Effect.fail(new ProjectionBehind({ required: 4n, current: 1n, retryAfter: 1 }))
      }
    })
    await on({ orders }, async (server) => {
      for (const prefer of ["wait=99", "respond-async, wait=7; x=1", "wait=soon", "wait=-1", "return=minimal"]) {
        await server.send("POST", "/orders", placement(), { prefer })
      }
    })
    assert.deepStrictEqual(waits, [Duration.seconds(30), Duration.seconds(7)])
  })

  it("is alive without a database, ready only with one", async () => {
    const unavailable = Effect.fail(new DatabaseUnavailable({ retryAfter: 3 }))
    await on({ orders: stub({}), ready: unavailable }, async (server) => {
      assert.deepStrictEqual((await server.get("/health/live")).body, { status: "live" })
      const { body, headers, status } = await server.get("/health/ready")
      assert.deepStrictEqual(
        [status, body.type, headers.get("retry-after")],
        [503, "/problems/database-unavailable", "3"]
      )
    })
    await on({ orders: stub({}), ready: Effect.fail(new Draining({ retryAfter: 1 })) }, async (server) => {
      assert.strictEqual((await server.get("/health/ready")).body.type, "/problems/draining")
    })
    await on({ orders: stub({}) }, async (server) => {
      assert.deepStrictEqual((await server.get("/health/ready")).body, { status: "ready" })
    })
  })

  it("finishes open requests before it stops", async () => {
    const entered = Deferred.makeUnsafe<void>()
    const go = Deferred.makeUnsafe<void>()
    const orders = stub({
      place: () => Deferred.succeed(entered, undefined).pipe(Effect.andThen(Deferred.await(go)), Effect.as(receipt))
    })
    const server = await start({ orders })
    const placed = server.send("POST", "/orders", placement())
    await Effect.runPromise(Deferred.await(entered))
    const stopped = server.stop()
    await Effect.runPromise(Deferred.succeed(go, undefined))
    assert.strictEqual((await placed).status, 202)
    await stopped
  })

  it("tells the caller of a command that it had to stop that the outcome is unknown", async () => {
    const entered = Deferred.makeUnsafe<void>()
    const place = () => Effect.andThen(Deferred.succeed(entered, undefined), Effect.never)
    const server = await start({ orders: stub({ place }), limits: { shutdown: Duration.millis(100) } })
    const placed = server.send("POST", "/orders", placement())
    await Effect.runPromise(Deferred.await(entered))
    await server.stop()
    assert.strictEqual((await placed).body.type, "/problems/outcome-unknown")
  })

  it("goes on after callers that go away", async () => {
    const logs: Array<string> = []
    const entered = Deferred.makeUnsafe<void>()
    const orders = stub({ list: () => Effect.andThen(Deferred.succeed(entered, undefined), Effect.never) })
    await on({ orders, logs: (line) => logs.push(line) }, async (server) => {
      const abort = new AbortController()
      const listed = fetch(`${server.url}/orders`, { signal: abort.signal }).catch(() => "aborted")
      await Effect.runPromise(Deferred.await(entered))
      abort.abort()
      assert.strictEqual(await listed, "aborted")
      assert.strictEqual((await server.get("/health/live")).status, 200)
    })
    assert.notInclude(logs.join(), "defect")
  })

  it("refuses a long path and a great many headers", () =>
    on({ orders: stub({}) }, async (server) => {
      assert.strictEqual((await server.get(`/orders?cursor=${"x".repeat(8200)}`)).status, 414)
      const headers = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`x-${index}`, "1"]))
      assert.strictEqual((await server.get("/orders", headers)).status, 431)
    }))

  it("serves the OpenAPI document, and documentation that loads nothing from elsewhere", () =>
    on({ orders: stub({}) }, async (server) => {
      const { body } = await server.get("/openapi.json")
      assert.deepStrictEqual([body.openapi, body.info.title], ["3.1.0", "Ordinal"])
      const { headers, status, text } = await server.get("/docs")
      assert.deepStrictEqual([status, headers.get("content-type")], [200, "text/html"])
      assert.include(text, "createApiReference")
      const page = text.replace(/<script>.*<\/script>/s, "<script></script>")
      assert.include(page, "<script></script>")
      assert.notMatch(page, /src=|href=|@import|https?:/)
    }))
})
