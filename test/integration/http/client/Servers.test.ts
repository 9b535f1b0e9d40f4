import { once } from "node:events"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer } from "effect"
import { client, newOrderId, request, type Service, stock } from "../../../../harness/orders/BothOrders.ts"
import { start } from "../../../../harness/servers/ApiServer.ts"
import { OutcomeUnknown } from "../../../../src/eventstore/EventStoreErrors.ts"
import { rank } from "../../../../src/http/client/Rendezvous.ts"
import type { Others } from "../../../../src/http/handlers/Elsewhere.ts"
import type { OrderId } from "../../../../src/order/OrderId.ts"
import { Orders } from "../../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../../src/orders/OrdersLayers.ts"

/** One backend of many servers, which write down who confirmed and read each order. */
const backend = Effect.fnUntraced(function* () {
  const shared = Context.get(yield* Layer.build(Layer.fresh(OrdersLayers.layerMemory)), Orders)
  yield* stock(shared)
  const reached: Array<readonly [name: "confirm" | "get", id: OrderId, url: string]> = []
  const node = (elsewhere: { readonly command?: Others; readonly query?: Others } = {}) =>
    Effect.acquireRelease(
      Effect.promise(async () => {
        let url = ""
        const counting: Service = {
          ...shared,
          confirm: (id, options) => {
            reached.push(["confirm", id, url])
            return shared.confirm(id, options)
          },
          get: (id, options) => {
            reached.push(["get", id, url])
            return shared.get(id, options)
          }
        }
        const server = await start({ orders: Layer.succeed(Orders, counting), elsewhere })
        url = server.url
        return server
      }),
      ({ stop }) => Effect.promise(stop)
    )
  /** The first of these ids that this server comes first for. */
  const idOf = (url: string, urls: ReadonlyArray<string>, number = 1): OrderId =>
    rank(urls, newOrderId(number))[0] === url ? newOrderId(number) : idOf(url, urls, number + 1)
  return { shared, reached, node, idOf }
})

/** A server that reads the request, and hangs up without an answer. */
const losing = Effect.map(
  Effect.acquireRelease(
    Effect.promise(async () => {
      const server = createServer((incoming) => incoming.resume().on("end", () => incoming.socket.destroy()))
      await once(server.listen(0, "127.0.0.1"), "listening")
      return server
    }),
    (server) => Effect.sync(() => void server.close())
  ),
  (server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`
)

describe("a client of several servers", () => {
  it.live("sends what is about an order to the server that ranks first for it, as every other client does", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { node, reached, shared } = yield* backend()
        const urls = [(yield* node()).url, (yield* node()).url, (yield* node()).url]
        const queryUrls = [(yield* node()).url, (yield* node()).url]
        const one = yield* client({ baseUrl: urls, queryUrl: queryUrls, retries: 0 })
        const other = yield* client({ baseUrl: urls.toReversed(), queryUrl: queryUrls, retries: 0 })
        for (let number = 1; number <= 8; number++) {
          const id = newOrderId(number)
          yield* shared.place(request(id))
          for (const orders of [one, other]) {
            yield* orders.confirm(id)
            yield* orders.get(id)
          }
        }
        assert.lengthOf(reached, 32)
        for (const [name, id, url] of reached) {
          assert.strictEqual(url, rank(name === "get" ? queryUrls : urls, id)[0], `${name} ${id}`)
        }
        const { orderId } = yield* one.place(request(newOrderId(100)))
        assert.strictEqual(
          (yield* other.list({ filter: {} })).orders.some((order) => order.orderId === orderId),
          true
        )
      })
    )
  )

  it.live("goes on to the next one if a server is gone, or has no such role, also without a key", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { idOf, node, reached, shared } = yield* backend()
        const gone = yield* node()
        const reader = yield* node({ command: {} })
        const answering = yield* node()
        const urls = [gone, reader, answering].map(({ url }) => url)
        yield* Effect.promise(gone.stop)
        const orders = yield* client({ baseUrl: urls, retries: 0 })
        for (const { url } of [gone, reader]) {
          const id = idOf(url, urls)
          yield* shared.place(request(id))
          yield* orders.confirm(id)
          yield* orders.get(id)
        }
        assert.deepStrictEqual(
          reached.filter(([name]) => name === "confirm").map(([, , url]) => url),
          [answering.url, answering.url]
        )
        const reads = reached.filter(([name]) => name === "get").map(([, , url]) => url)
        const [, second] = rank(urls, idOf(gone.url, urls))
        assert.deepStrictEqual(reads, [second, reader.url])
      })
    )
  )

  it.live("sends a command whose answer was lost to the next one only under its key", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { idOf, node, reached, shared } = yield* backend()
        const lost = yield* losing
        const { url } = yield* node()
        const urls = [lost, url]
        const id = idOf(lost, urls)
        yield* shared.place(request(id))
        const orders = yield* client({ baseUrl: urls, retries: 0 })
        assert.strictEqual((yield* Effect.flip(orders.confirm(id)))._tag, "OutcomeUnknown")
        assert.deepStrictEqual(reached, [])
        assert.deepStrictEqual((yield* orders.confirm(id, { idempotencyKey: "once" })).events, ["order.confirmed.v1"])
        assert.deepStrictEqual(reached, [["confirm", id, url]])
        assert.strictEqual((yield* orders.get(id)).order.status, "confirmed")
      })
    )
  )

  it.live("sends no command on at once whose server says that it does not know the outcome", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { idOf, node, reached, shared } = yield* backend()
        const confirm = () => Effect.fail(new OutcomeUnknown({ retryAfter: 1 }))
        const unsure = yield* Effect.acquireRelease(
          Effect.promise(() => start({ orders: Layer.succeed(Orders, { ...shared, confirm }) })),
          ({ stop }) => Effect.promise(stop)
        )
        const urls = [unsure.url, (yield* node()).url]
        const id = idOf(unsure.url, urls)
        yield* shared.place(request(id))
        const orders = yield* client({ baseUrl: urls, retries: 0 })
        assert.strictEqual((yield* Effect.flip(orders.confirm(id, { idempotencyKey: "once" })))._tag, "OutcomeUnknown")
        assert.deepStrictEqual(reached, [])
      })
    )
  )

  it.live("subscribes at any of them that answers", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { node } = yield* backend()
        const writer = yield* node({ query: {} })
        const gone = yield* node()
        const { url } = yield* node()
        yield* Effect.promise(gone.stop)
        const orders = yield* client({ baseUrl: [writer.url, gone.url, url] })
        for (let times = 0; times < 4; times++) yield* orders.subscribe()
      })
    )
  )

  it("refuses a list without a server", () => {
    assert.throws(() => Effect.runSync(Effect.scoped(client({ baseUrl: [] }))), /baseUrl names no server/)
  })
})
