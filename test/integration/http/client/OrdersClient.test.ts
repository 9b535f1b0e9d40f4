import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import {
  CancellationId,
  CaptureId,
  LineId,
  PaymentId,
  ProductId,
  RefundId,
  ReturnId,
  ShipmentId
} from "../../../../src/order/OrderId.ts"
import { Orders } from "../../../../src/orders/Orders.ts"
import * as OrdersClient from "../../../../src/http/client/OrdersClient.ts"
import { ada, address } from "../../../../harness/fixtures/Shop.ts"
import {
  bothOrders,
  customers,
  mugRequest,
  newOrderId,
  products,
  request,
  type Service,
  stock
} from "../../../../harness/orders/BothOrders.ts"
import { longestWait } from "../../../../harness/clocks/Patience.ts"

const a = LineId.make("a")
const b = LineId.make("b")
const s = ShipmentId.make("s")
const p = PaymentId.make("p")
const items = [{ lineId: a, quantity: 1 }] as const

/** Calls every method at least once, as a program that does not know where its orders are. */
const program = Effect.gen(function* () {
  const orders = yield* Orders
  const id = newOrderId(1)
  const [cancelled, voided] = [newOrderId(2), newOrderId(3)]
  const said: Array<unknown> = [
    yield* orders.saveProduct(products.mug, mugRequest, { precondition: "absent" }),
    yield* orders.saveProduct(products.mug, mugRequest, { precondition: 1 }),
    yield* orders.saveCustomer(customers.ada, ada),
    yield* orders.product(products.mug),
    yield* orders.customer(customers.ada),
    yield* orders.place(request(id), { idempotencyKey: 'the "first"' }),
    yield* orders.place(request(id), { idempotencyKey: 'the "first"' }),
    yield* orders.addLine(id, { productId: products.mug, quantity: 2, lineId: b }, { precondition: 1 }),
    yield* orders.changeLineQuantity(id, b, { quantity: 3 }, { precondition: "exists" }),
    yield* orders.removeLine(id, b, { idempotencyKey: "k" }),
    yield* orders.removeLine(id, b, { idempotencyKey: "k" }),
    yield* orders.changeShippingAddress(id, { ...address, city: "York" }),
    yield* orders.confirm(id),
    yield* orders.confirm(id),
    yield* orders.authorizePayment(id, { amount: 5000, paymentId: p, provider: "bank" }),
    yield* orders.capturePayment(id, p, { amount: 3000, captureId: CaptureId.make("c") }),
    yield* orders.refundPayment(id, p, { amount: 100, refundId: RefundId.make("r"), reason: "late" }),
    yield* orders.ship(id, { shipmentId: s, items: [{ lineId: a, quantity: 3 }], carrier: "DHL" }),
    yield* orders.deliver(id, s),
    yield* orders.returnItems(id, { items, returnId: ReturnId.make("r") }),
    yield* orders.cancelItems(id, { items, cancellationId: CancellationId.make("c"), reason: "gone" }),
    yield* orders.place(request(cancelled)),
    yield* orders.cancel(cancelled, { reason: "duplicate", note: "again" }),
    yield* orders.place(request(voided, { confirm: true })),
    yield* orders.authorizePayment(voided, { amount: 1, paymentId: p })
  ]
  const last = yield* orders.voidPayment(voided, p)
  const fresh = { token: last.token, ...longestWait }
  const first = yield* orders.list({ filter: { customerId: customers.ada }, sort: "placedAt", limit: 2 }, fresh)
  said.push(
    last,
    yield* orders.get(id, fresh),
    first,
    yield* orders.list({
      filter: { customerId: customers.ada },
      sort: "placedAt",
      limit: 2,
      ...(first.next === undefined ? {} : { cursor: first.next })
    }),
    yield* orders.list({
      filter: { status: ["cancelled", "partially_shipped"], paymentStatus: ["unpaid"], placedAfter: "2020-01-01" }
    }),
    yield* orders.list({ filter: { placedBefore: "2020-01-01T00:00:00+02:00" } }),
    yield* orders.list({ limit: 1000, sort: "updatedAt" }),
    yield* orders.counts(),
    yield* orders.counts({ customerId: customers.ada }, fresh),
    yield* orders.counts({ customerId: customers.none }),
    yield* orders.history(id),
    yield* orders.history(id, { after: 3, limit: 2 }),
    yield* orders.history(id, { after: 100, limit: 9999 }),
    yield* orders.at(id, 1),
    yield* orders.at(id, 5),
    yield* orders.history(id, { limit: 1, token: last.token }),
    yield* orders.at(id, 1, { token: last.token }),
    yield* orders.withdrawProduct(products.mug),
    yield* orders.withdrawCustomer(customers.ada, { idempotencyKey: "k" }),
    yield* orders.product(products.mug),
    yield* orders.customer(customers.ada)
  )
  const { token } = yield* orders.saveProduct(ProductId.make("tea"), { ...mugRequest, name: "Tea" })
  yield* orders.awaitCatalog(token, longestWait)
  const some = yield* orders.products({ limit: 1 })
  said.push(
    yield* orders.product(products.mug, { token }),
    yield* orders.customer(customers.ada, { token }),
    some,
    yield* orders.products(some.next === undefined ? {} : { cursor: some.next }),
    yield* orders.products({ withdrawn: true }),
    yield* orders.customers({ withdrawn: false, limit: 1000 }),
    yield* orders.customers()
  )
  return said
})

/** Replaces what differs from run to run: generated ids and times, and who calls. */
const plain = (said: unknown): string =>
  JSON.stringify(said, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value), 1)
    .replace(/(?<!ord_)[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, "<uuid>")
    .replace(/(?<="token": "\d+\.)[0-9a-f]{12}/g, "<check>")
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, "<time>")
    .replace(/"(next)": "[^"]+"/g, '"$1": "<cursor>"')
    .replace(/^ +"(actor|traceparent)": .*\n/gm, "")

const sorted = (json: string): unknown =>
  JSON.parse(json, (_, value: unknown) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort())
      : value
  )

const provided = (service: Service) => Effect.provideService(program, Orders, service)

describe("a client of the order service", () => {
  it.live("runs a program as the service in this process does", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const inProcess = yield* provided((yield* bothOrders()).local)
        const remote = yield* provided((yield* bothOrders()).remote)
        assert.deepStrictEqual(sorted(plain(remote)), sorted(plain(inProcess)))
        assert.include(plain(remote), "order.items-returned.")
      })
    )
  )

  it.live("answers the very same about the same orders", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { local, remote } = yield* bothOrders()
        yield* provided(local)
        const id = newOrderId(1)
        const ask = (orders: Service) =>
          Effect.all([
            orders.get(id),
            orders.list(),
            orders.counts(),
            orders.history(id),
            orders.at(id, 3),
            orders.product(products.mug),
            orders.customer(customers.ada),
            Effect.flip(orders.product(products.mug, { token: "1.x" })),
            Effect.flip(orders.awaitCatalog("1.x"))
          ])
        assert.deepStrictEqual(yield* ask(remote), yield* ask(local))
      })
    )
  )

  it.live("takes along the ids that link a command, and not who the caller claims to be", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { local, remote } = yield* bothOrders()
        yield* stock(local)
        const id = newOrderId(1)
        const correlationId = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"
        const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        const options = { correlationId, traceparent, actor: "somebody", causationId: correlationId, fresh: true }
        const { commandId } = yield* remote.place(request(id), options)
        const [event] = yield* local.history(id)
        assert.deepInclude(event, { correlationId, traceparent, actor: "operator", causationId: commandId })
        yield* remote.confirm(id, { correlationId: "no UUID" })
        const [, confirmed] = yield* remote.history(id)
        assert.match(confirmed?.correlationId ?? "", /^[0-9a-f-]{36}$/)
        assert.match(confirmed?.traceparent ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
      })
    )
  )

  it.live("takes limits that are none as the service in this process does", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { local, remote } = yield* bothOrders()
        yield* stock(local)
        const id = newOrderId(1)
        const { token } = yield* local.place(request(id, { confirm: true }))
        for (const orders of [local, remote]) {
          for (const limit of [NaN, 1.5, -1, Infinity]) {
            const { orders: listed } = yield* orders.list({ limit }, { token })
            const { products } = yield* orders.products({ limit }, { token })
            const events = yield* orders.history(id, { limit, after: limit === Infinity ? 0 : limit - 1 })
            const count = limit === 1.5 || limit === -1 ? 1 : 2
            assert.deepStrictEqual([listed.length, products.length, events.length], [1, 1, count], String(limit))
          }
        }
      })
    )
  )

  it.live("has errors that are caught by their tags", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { local, remote } = yield* bothOrders()
        yield* stock(local)
        const id = newOrderId(1)
        yield* remote.place(request(id, { confirm: true }))
        yield* remote.ship(id, {})
        const hint = yield* remote.cancel(id, { reason: "other" }).pipe(
          Effect.map(() => ""),
          Effect.catchTag("OrderAlreadyShipped", ({ hint }) => Effect.succeed(hint))
        )
        assert.include(hint, "ReturnItems")
      })
    )
  )

  it("is a layer that needs nothing", () => {
    const layer: (options: { baseUrl: string }) => Layer.Layer<Orders> = (options) => OrdersClient.layer(options)
    assert.isDefined(layer({ baseUrl: "http://127.0.0.1:1" }))
  })
})
