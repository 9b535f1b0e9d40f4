/** What an order's document says can be asked next: followed, wherever such a document is answered. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Layer, ManagedRuntime } from "effect"
import { HttpRouter, HttpServer } from "effect/http"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import { onTestFinished } from "vitest"
import { checkedClient, withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { call } from "../../../harness/clients/HttpClient.ts"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { commandTable } from "../../../harness/http/CommandTable.ts"
import { portOf, start, type TestServer } from "../../../harness/servers/ApiServer.ts"
import { Readiness } from "../../../src/http/handlers/Readiness.ts"
import * as Listener from "../../../src/http/listener/Listener.ts"
import { defaults } from "../../../src/http/listener/HttpLimits.ts"
import * as Server from "../../../src/http/listener/Server.ts"
import { OpenStreams } from "../../../src/http/push/OpenStreams.ts"
import * as OrdersClient from "../../../src/http/client/OrdersClient.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import type { OrderId } from "../../../src/order/OrderId.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { Projections } from "../../../src/projection/Projections.ts"

interface Action {
  readonly command: string
  readonly method: string
  readonly href: string
}

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

const wait = { prefer: "wait=30" }
const commandsOf = (actions: ReadonlyArray<Action>) => actions.map(({ command }) => command)

describe("an order", () => {
  it("has links and actions in every answer that shows it", async () => {
    const placed = await server.send("POST", "/orders", placement({ confirm: false }), wait)
    const { actions, allowed, links, orderId, version } = placed.body
    const self = `/orders/${orderId}`
    assert.deepStrictEqual(links, { self, monitor: `/events?orderId=${orderId}`, events: `${self}/events` })
    assert.isNotEmpty(allowed)
    assert.deepStrictEqual(commandsOf(actions), allowed)
    const read = [
      (await server.get(self)).body,
      (await server.get("/orders")).body.data.find((order: { orderId: string }) => order.orderId === orderId),
      (await server.get(`${self}/versions/${version}`)).body
    ]
    for (const order of read) assert.deepStrictEqual([order.links, order.actions], [links, actions])
    for (const link of [links.self, links.events]) assert.strictEqual((await server.get(link)).status, 200, link)
  })

  it("names requests that are answered, in every state on its way", async () => {
    const placed = await server.send("POST", "/orders", placement({ confirm: false }), wait)
    const seen = new Set<string>()
    const steps: ReadonlyArray<readonly [path: string, body: object]> = [
      ["confirm", {}],
      ["payments", { paymentId: "p", amount: 1 }],
      ["payments/p/capture", {}],
      ["shipments", { shipmentId: "s" }],
      ["shipments/s/deliver", {}]
    ]
    let { body } = placed
    for (const [path, payload] of [...steps, undefined].map((step) => step ?? [])) {
      for (const { command, href, method } of body.actions as ReadonlyArray<Action>) {
        seen.add(command)
        const ids = href.replace("{paymentId}", "none").replace("{shipmentId}", "none").replace("{lineId}", "none")
        // The body has an unknown member, so nothing is done; an unknown route would be 404 or 405.
        const { status } = await server.send(method, ids, { unknownHere: true })
        assert.strictEqual(status, 400, `${method} ${href}`)
      }
      if (path === undefined) break
      body = (await server.send("POST", `/orders/${placed.body.orderId}/${path}`, payload, wait)).body
    }
    const others = commandTable
      .map(({ command }) => command)
      .filter((command) => !/Product|Customer|Place/.test(command))
    assert.includeMembers(others, [...seen])
    assert.isAbove(seen.size, 9)
  })

  it("that refuses a command has the same actions in the problem as in the order", async () => {
    const { body: order } = await server.send("POST", "/orders", placement({ confirm: false }), wait)
    const refused = await server.send("POST", `/orders/${order.orderId}/shipments`, {})
    assert.deepStrictEqual([refused.status, refused.body.type], [409, "/problems/invalid-transition"])
    assert.deepStrictEqual([refused.body.allowed, refused.body.actions], [order.allowed, order.actions])
  })

  it("has neither links nor actions for a program that uses the client", async () => {
    const { body } = await server.send("POST", "/orders", placement(), wait)
    const { actions: _, links: __, ...expected } = body
    const program = Effect.gen(function* () {
      const orders = yield* Orders
      const { order } = yield* orders.get(body.orderId as OrderId)
      const { orders: list } = yield* orders.list()
      return [
        order,
        list.find(({ orderId }) => orderId === order.orderId),
        yield* orders.at(order.orderId, order.version)
      ]
    })
    const read = await Effect.runPromise(Effect.provide(program, OrdersClient.layer({ baseUrl: server.url })))
    for (const order of read) assert.deepStrictEqual(order, expected)
  })
})

describe("an API that is mounted under a path", () => {
  it("has that path in front of everything that it links to", async () => {
    const mounted = Layer.effect(
      HttpRouter.HttpRouter,
      Effect.map(HttpRouter.HttpRouter, (router) => router.prefixed("/shop/v1"))
    )
    const layer = HttpRouter.serve(Server.routes.pipe(Layer.provide(mounted)), {
      routerConfig: Listener.routerConfig,
      disableLogger: true,
      disableListenLog: true
    }).pipe(
      Layer.provideMerge(NodeHttpServer.layer(Effect.runSync(Listener.make(defaults)), { host: "127.0.0.1", port: 0 })),
      Layer.provide(OrdersLayers.layerMemory),
      Layer.provide(Projections.layerMemory),
      Layer.provide(OpenStreams.layer),
      Layer.provide(Layer.succeed(Readiness, { check: Effect.void }))
    )
    const runtime = ManagedRuntime.make(layer)
    onTestFinished(() => runtime.dispose())
    const root = `http://127.0.0.1:${portOf(await runtime.runPromise(HttpServer.HttpServer))}`
    const shop = await withCatalog(checkedClient(`${root}/shop/v1`))
    const { body, headers } = await shop.send("POST", "/orders", placement({ confirm: false }))
    assert.strictEqual(headers.get("location"), `/shop/v1/orders/${body.orderId}`)
    assert.strictEqual(body.links.self, headers.get("location"))
    assert.include(headers.get("link"), `</shop/v1/events?orderId=${body.orderId}>`)
    const order = await call(root, "GET", body.links.self)
    assert.strictEqual(order.status, 200)
    const refused = await shop.send("POST", `/orders/${body.orderId}/shipments`, {})
    assert.deepStrictEqual(refused.body.actions, order.body.actions)
    for (const { href } of order.body.actions as ReadonlyArray<Action>) assert.match(href, /^\/shop\/v1\/orders\//)
    const product = await shop.send("PUT", "/products/cup", { name: "Cup", unitPrice: 1, currency: "EUR", taxBps: 0 })
    assert.strictEqual(product.headers.get("location"), "/shop/v1/products/cup")
    // The list has a next page only once the view has both products.
    const saved = { "consistency-token": product.headers.get("consistency-token") ?? "", prefer: "wait=30" }
    const list = await shop.get("/products?limit=1", saved)
    assert.match(list.headers.get("link") ?? "", /^<\/shop\/v1\/products\?limit=1&cursor=/)
  })
})
