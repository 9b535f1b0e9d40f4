import { createServer, type RequestListener } from "node:http"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { freePort } from "../../../../harness/servers/FreePort.ts"
import { DatabaseUnavailable } from "../../../../src/database/DatabaseErrors.ts"
import { InternalError } from "../../../../src/http/problems/HttpError.ts"
import { OrderId } from "../../../../src/order/OrderId.ts"
import { ServerUnreachable } from "../../../../src/orders/OrdersError.ts"
import {
  bothOrders,
  client,
  newOrderId,
  request,
  served,
  type Service,
  stock
} from "../../../../harness/orders/BothOrders.ts"
import { stub } from "../../../../harness/servers/ApiServer.ts"
import { Orders } from "../../../../src/orders/Orders.ts"

const id: OrderId = newOrderId(1)

/** Serves HTTP with a listener on a free port, and returns its URL. */
const listening = (listener: RequestListener) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<ReturnType<typeof createServer>>((resume) => {
        const server = createServer(listener)
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.closeAllConnections()
          server.close()
        })
    ),
    (server) => {
      const address = server.address()
      return `http://127.0.0.1:${typeof address === "object" ? address?.port : 0}`
    }
  )

const answering = (status: number, body: string, type = "text/html") =>
  listening((incoming, answer) => {
    incoming.resume().on("end", () => answer.writeHead(status, { "content-type": type }).end(body))
  })

/** Nobody listens on this port and no connection is given it, so that no client connects to itself. */
const closedPort = Effect.promise(freePort)

const tagOf = (effect: Effect.Effect<unknown, { readonly _tag: string }>) =>
  Effect.map(Effect.flip(effect), ({ _tag }) => _tag)

/** Returns the errors that a command and a query get from such a server. */
const madeOf = Effect.fnUntraced(function* (baseUrl: string, timeout: number = 60_000) {
  const orders = yield* client({ baseUrl, retries: 0, timeout })
  return [yield* tagOf(orders.confirm(id)), yield* tagOf(orders.get(id))]
})

const unknown = ["OutcomeUnknown", "ServerUnreachable"]
const unreachable = ["ServerUnreachable", "ServerUnreachable"]

describe("a client whose server does not answer as it should", () => {
  it.live("knows that nothing was done if there is no connection", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const port = yield* closedPort
        for (const url of [`http://127.0.0.1:${port}`, `http://localhost:${port}`, "http://no-such-host.invalid"]) {
          assert.deepStrictEqual(yield* madeOf(url), unreachable, url)
        }
        const orders = yield* client({ baseUrl: `http://127.0.0.1:${port}/`, retries: 0 })
        const error = yield* Effect.flip(orders.confirm(id))
        assert.instanceOf(error, ServerUnreachable)
        assert.deepInclude({ ...error }, { reason: "no connection", retryAfter: 1 })
      })
    )
  )

  it.live("does not know what became of a command whose answer was lost", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const cut = yield* listening((incoming) => incoming.socket.destroy())
        assert.deepStrictEqual(yield* madeOf(cut), unknown)
        const silent = yield* listening(() => {})
        assert.deepStrictEqual(yield* madeOf(silent, 100), unknown)
        const half = yield* listening((incoming, answer) => {
          answer.writeHead(202, { "content-type": "application/json", "content-length": "1000" }).write('{"orderId"')
          setTimeout(() => incoming.socket.destroy(), 20)
        })
        assert.deepStrictEqual(yield* madeOf(half), unknown)
      })
    )
  )

  it.live("knows an answer that is not the server's", () =>
    Effect.scoped(
      Effect.gen(function* () {
        for (const [status, body, type, expected] of [
          [404, "<h1>Not found</h1>", "text/html", unreachable],
          [403, "{}", "application/json", unreachable],
          [404, '{"type":"/problems/other"}', "application/problem+json", unreachable],
          [502, "<h1>Bad gateway</h1>", "text/html", unknown],
          [503, "", "text/plain", unknown],
          [202, "{}", "application/json", unknown],
          [200, "<h1>It works!</h1>", "text/html", unknown],
          [204, "", "text/plain", unknown]
        ] as const) {
          const url = yield* answering(status, body, type)
          assert.deepStrictEqual(yield* madeOf(url), expected, `${status} ${type}`)
        }
      })
    )
  )

  it.live("takes a defect of the server for what it is in process: a defect", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const faulty = stub({ confirm: () => Effect.die(new Error("secret")) })
        const orders = yield* client({ baseUrl: yield* served(yield* Effect.provide(Orders, faulty)) })
        const died = yield* Effect.exit(orders.confirm(id))
        assert.isTrue(Exit.isFailure(died) && Cause.hasDies(died.cause))
        assert.instanceOf(Exit.isFailure(died) ? Cause.squash(died.cause) : undefined, InternalError)
      })
    )
  )
})

/** Serves orders that fail so many times and then succeed, and counts the calls. */
const flaky = (failures: number, retryAfter: number) =>
  Effect.gen(function* () {
    const { local } = yield* bothOrders()
    yield* stock(local)
    yield* local.place(request(id))
    let calls = 0
    const failing =
      <Arguments extends ReadonlyArray<unknown>, A, E>(call: (...given: Arguments) => Effect.Effect<A, E>) =>
      (...given: Arguments) =>
        Effect.suspend((): Effect.Effect<A, E | DatabaseUnavailable> =>
          calls++ < failures ? Effect.fail(new DatabaseUnavailable({ retryAfter })) : call(...given)
        )
    const orders: Service = { ...local, confirm: failing(local.confirm), get: failing(local.get) }
    return { url: yield* served(orders), calls: () => calls }
  })

type Call = (orders: Service) => Effect.Effect<unknown, { readonly _tag: string }>

describe("a client that sends again", () => {
  it.live("does so with queries and keyed commands, and never with others", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const cases: ReadonlyArray<readonly [Call, ReadonlyArray<unknown>]> = [
          [(orders) => orders.get(id), ["done", 3]],
          [(orders) => orders.confirm(id, { idempotencyKey: "k" }), ["done", 3]],
          [(orders) => orders.confirm(id), ["DatabaseUnavailable", 1]]
        ]
        for (const [call, expected] of cases) {
          const { calls, url } = yield* flaky(2, 0.01)
          const orders = yield* client({ baseUrl: url })
          const outcome = yield* Effect.match(call(orders), {
            onFailure: ({ _tag }) => _tag,
            onSuccess: () => "done"
          })
          assert.deepStrictEqual([outcome, calls()], expected)
        }
      })
    )
  )

  it.live("does so a few times only, as often as it is told, and not if it would have to wait for long", () =>
    Effect.scoped(
      Effect.gen(function* () {
        for (const [retries, retryAfter, expected] of [
          [undefined, 0.01, 4],
          [1, 0.01, 2],
          [0, 0.01, 1],
          [3, 30, 1]
        ] as const) {
          const { calls, url } = yield* flaky(99, retryAfter)
          const orders = yield* client({ baseUrl: url, ...(retries === undefined ? {} : { retries }) })
          assert.strictEqual(yield* tagOf(orders.get(id)), "DatabaseUnavailable")
          assert.strictEqual(calls(), expected)
        }
      })
    )
  )

  it.live("gets the answer that was lost, and the command has happened once", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { local } = yield* bothOrders()
        yield* stock(local)
        const target = yield* served(local)
        let requests = 0
        /** Passes requests on to the server, and loses its first answer. */
        const lossy = yield* listening((incoming, answer) => {
          const chunks: Array<Buffer> = []
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk))
          incoming.on("end", async () => {
            const { "idempotency-key": key = "", "content-type": type = "" } = incoming.headers
            const headers = { "idempotency-key": String(key), "content-type": type }
            const body = Buffer.concat(chunks)
            const response = await fetch(target + (incoming.url ?? ""), { method: "POST", headers, body })
            if (requests++ === 0) return incoming.socket.destroy()
            return answer.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
          })
        })
        const orders = yield* client({ baseUrl: lossy })
        const { orderId: _, ...anonymous } = request(id)
        const receipt = yield* orders.place(anonymous, { idempotencyKey: "k" })
        assert.deepStrictEqual([receipt.replayed, requests], [true, 2])
        assert.strictEqual((yield* local.list({}, { token: receipt.token })).orders.length, 1)
      })
    )
  )
})
