/** A real server in this process, orders placed in it, and which client has to be pushed what. */
import { Context, Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { channel } from "node:diagnostics_channel"
import type { Socket } from "node:net"
import { demoProducts } from "../../src/catalog/DemoCatalog.ts"
import { OpenStreams } from "../../src/http/OpenStreams.ts"
import * as PushLimits from "../../src/http/PushLimits.ts"
import { Readiness } from "../../src/http/Readiness.ts"
import * as Server from "../../src/http/Server.ts"
import { Currency } from "../../src/order/Money.ts"
import { CustomerId } from "../../src/order/OrderId.ts"
import { Orders } from "../../src/Orders.ts"
import { Projections } from "../../src/projection/Projections.ts"

const shippingAddress = { name: "Ada", line1: "1 Mill Lane", city: "London", postalCode: "N1", country: "GB" }
const currency = Currency.make("EUR")

const line = (index: number) => ({ productId: demoProducts[index % demoProducts.length]!.productId, quantity: 1 })

export const customerOf = (index: number) => `customer-${index}`

/** The server's ends of all connections made meanwhile. */
const serverSockets = Effect.gen(function* () {
  const sockets = new Set<Socket>()
  const onSocket = (message: unknown) => {
    // As documented for this channel.
    const { socket } = message as { readonly socket: Socket }
    sockets.add(socket)
    socket.once("close", () => sockets.delete(socket))
  }
  const connections = channel("net.server.socket")
  yield* Effect.acquireRelease(
    Effect.sync(() => connections.subscribe(onSocket)),
    () => Effect.sync(() => connections.unsubscribe(onSocket))
  )
  return sockets
})

export type PushShop = Effect.Success<ReturnType<typeof make>>

/** `lines`: of each order, which makes its first event so much larger. */
export const make = Effect.fnUntraced(function* <E>(
  layer: Layer.Layer<Orders, E>,
  limits: Partial<PushLimits.PushLimits>,
  { customers, lines }: { readonly customers: number; readonly lines: number }
) {
  const sockets = yield* serverSockets
  const services = yield* Layer.build(
    Server.layer({ host: "127.0.0.1", port: 0 }).pipe(
      Layer.provideMerge(layer),
      Layer.provide(Layer.mergeAll(Projections.layerNone, OpenStreams.layer)),
      Layer.provide(Layer.succeed(Readiness, { check: Effect.void })),
      Layer.provide(Layer.succeed(PushLimits.PushLimits, { ...PushLimits.defaults, ...limits }))
    )
  )
  const orders = Context.get(services, Orders)
  const { address } = Context.get(services, HttpServer.HttpServer)
  if (!("port" in address)) return yield* Effect.die(new Error("the server did not get a port"))

  for (const { _tag, productId, ...product } of demoProducts) yield* orders.saveProduct(productId, product)
  let start = 0
  for (let index = 0; index < customers; index++) {
    const customer = { name: "A customer", email: "customer@example.org" }
    start = Number((yield* orders.saveCustomer(CustomerId.make(customerOf(index)), customer)).position)
  }
  const expected = new Map<string, Array<number>>()
  let last = start
  let placed = 0

  return {
    url: `http://127.0.0.1:${address.port}`,
    /** The position before the first order. */
    start,
    last: () => last,
    /** Of the orders of a customer, or of all: the positions of their events. */
    expected: (customerId?: string): ReadonlyArray<number> =>
      (customerId === undefined ? [...expected.values()].flat() : (expected.get(customerId) ?? [])).toSorted(
        (left, right) => left - right
      ),
    /** The most that the server holds back for one client, in bytes, now. */
    heldBack: () => Math.max(0, ...[...sockets].map((socket) => socket.writableLength)),
    /** One more order, two events, of one customer after the other; when it was stored. */
    place: Effect.gen(function* () {
      const customerId = customerOf(placed++ % customers)
      const receipt = yield* orders.place({
        customerId: CustomerId.make(customerId),
        currency,
        lines: [line(0), ...Array.from({ length: lines - 1 }, (_, index) => line(index + 1))],
        shippingAddress
      })
      const position = Number(receipt.position)
      const events = receipt.events.map((_, index) => position - index)
      const known = expected.get(customerId)
      if (known === undefined) expected.set(customerId, events)
      else known.push(...events)
      last = Math.max(last, position)
      return position
    })
  }
})
