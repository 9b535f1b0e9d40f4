import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Currency } from "../../../../src/order/Money.ts"
import { CaptureId, LineId, PaymentId, ShipmentId } from "../../../../src/order/OrderId.ts"
import { Orders } from "../../../../src/orders/Orders.ts"
import { VersionNotFound } from "../../../../src/orders/OrdersError.ts"
import {
  bothOrders,
  client,
  customers,
  mugRequest,
  newOrderId,
  products,
  request,
  served,
  type Service,
  stock
} from "../../../../harness/orders/BothOrders.ts"
import { commandTable, rowsThatMeet } from "../../../../harness/http/CommandTable.ts"
import {
  type Case,
  commandCases,
  customerId,
  orderId,
  productId,
  queryCases
} from "../../../../harness/http/ErrorCases.ts"
import { stub } from "../../../../harness/servers/ApiServer.ts"

const [placed, confirmed, shipped, none] = [newOrderId(1), newOrderId(2), newOrderId(3), newOrderId(4)]
const a = LineId.make("a")
const b = LineId.make("b")
const s = ShipmentId.make("s")
const [p, voided] = [PaymentId.make("p"), PaymentId.make("v")]
const items = [{ lineId: a, quantity: 1 }] as const

/** Makes one order in each of three states. */
const prepare = Effect.fnUntraced(function* (orders: Service) {
  yield* stock(orders)
  yield* orders.place(request(placed))
  yield* orders.place(request(confirmed, { confirm: true }))
  yield* orders.authorizePayment(confirmed, { amount: 100, paymentId: p })
  yield* orders.authorizePayment(confirmed, { amount: 100, paymentId: voided })
  yield* orders.voidPayment(confirmed, voided)
  yield* orders.capturePayment(confirmed, p, { amount: 10, captureId: CaptureId.make("c") })
  yield* orders.place(request(shipped, { confirm: true }))
  yield* orders.ship(shipped, { shipmentId: s })
  return yield* orders
    .confirm(placed, { idempotencyKey: "used" })
    .pipe(
      Effect.andThen(orders.place(request(newOrderId(5)))),
      Effect.andThen(orders.place(request(newOrderId(6)), { idempotencyKey: "used", actor: "operator" }))
    )
})

type Refused = (orders: Service) => Effect.Effect<unknown, { readonly _tag: string }>

const open = newOrderId(5)
const large = {
  lines: [
    { productId: products.mug, quantity: 1, lineId: a },
    { productId: products.mug, quantity: 1, lineId: a }
  ]
} as const

const refusals: ReadonlyArray<readonly [tag: string, refused: Refused]> = [
  ["OrderExists", (orders) => orders.place(request(placed, { confirm: true }))],
  ["InvalidOrder", (orders) => orders.place(request(none, large))],
  ["InvalidOrder", (orders) => orders.place(request(none, { currency: Currency.make("USD") }))],
  ["InvalidOrder", (orders) => orders.changeLineQuantity(newOrderId(7), a, { quantity: 99_999 })],
  ["UnknownProduct", (orders) => orders.place(request(none, { lines: [{ productId: products.none, quantity: 1 }] }))],
  ["UnknownProduct", (orders) => orders.addLine(open, { productId: products.none, quantity: 1 })],
  ["UnknownCustomer", (orders) => orders.place(request(none, { customerId: customers.none }))],
  ["OrderNotFound", (orders) => orders.confirm(none)],
  ["OrderNotFound", (orders) => orders.confirm(none, { precondition: 3 })],
  ["OrderNotFound", (orders) => orders.confirm(none, { precondition: "absent" })],
  ["OrderNotFound", (orders) => orders.get(none)],
  ["OrderNotFound", (orders) => orders.history(none)],
  ["OrderNotFound", (orders) => orders.at(none, 1)],
  ["VersionNotFound", (orders) => orders.at(placed, 9)],
  ["VersionNotFound", (orders) => orders.at(placed, 0)],
  ["LineNotFound", (orders) => orders.removeLine(open, b)],
  ["LineNotFound", (orders) => orders.ship(confirmed, { items: [{ lineId: b, quantity: 1 }] })],
  ["LastLine", (orders) => orders.removeLine(open, a)],
  ["InvalidTransition", (orders) => orders.ship(open, {})],
  ["InvalidTransition", (orders) => orders.returnItems(confirmed, { items })],
  ["OrderAlreadyShipped", (orders) => orders.cancel(shipped, { reason: "other" })],
  ["IdReused", (orders) => orders.addLine(open, { productId: products.mug, quantity: 99, lineId: a })],
  ["IdReused", (orders) => orders.capturePayment(confirmed, p, { amount: 11, captureId: CaptureId.make("c") })],
  ["QuantityExceeded", (orders) => orders.cancelItems(confirmed, { items: [{ lineId: a, quantity: 99 }] })],
  ["QuantityExceeded", (orders) => orders.ship(shipped, {})],
  ["ShipmentNotFound", (orders) => orders.deliver(confirmed, s)],
  ["PaymentNotFound", (orders) => orders.voidPayment(shipped, p)],
  ["PaymentClosed", (orders) => orders.capturePayment(confirmed, voided, {})],
  ["AmountExceeded", (orders) => orders.authorizePayment(confirmed, { amount: 1_000_000 })],
  ["AmountExceeded", (orders) => orders.refundPayment(confirmed, p, { amount: 11 })],
  ["VersionMismatch", (orders) => orders.confirm(placed, { precondition: 9 })],
  ["VersionMismatch", (orders) => orders.confirm(placed, { precondition: "absent" })],
  ["VersionMismatch", (orders) => orders.place(request(placed), { precondition: "absent" })],
  ["VersionMismatch", (orders) => orders.saveProduct(products.mug, mugRequest, { precondition: "absent" })],
  ["VersionMismatch", (orders) => orders.withdrawProduct(products.mug, { precondition: 9 })],
  ["CommandIdReused", (orders) => orders.place(request(none), { idempotencyKey: "used", actor: "operator" })],
  ["InvalidIdempotencyKey", (orders) => orders.confirm(placed, { idempotencyKey: "" })],
  ["InvalidIdempotencyKey", (orders) => orders.withdrawProduct(products.mug, { idempotencyKey: "a\nb" })],
  ["ProductNotFound", (orders) => orders.product(products.none)],
  ["ProductNotFound", (orders) => orders.withdrawProduct(products.none)],
  ["CustomerNotFound", (orders) => orders.customer(customers.none)],
  ["CustomerNotFound", (orders) => orders.withdrawCustomer(customers.none)],
  ["InvalidToken", (orders) => orders.get(placed, { token: "rubbish" })],
  ["InvalidToken", (orders) => orders.list({}, { token: "" })],
  ["InvalidToken", (orders) => orders.list({}, { token: "1\n2" })],
  ["InvalidToken", (orders) => orders.counts({}, { token: "rubbish" })],
  ["InvalidToken", (orders) => orders.counts({}, { token: "1\n2" })],
  ["InvalidCursor", (orders) => orders.list({ cursor: "rubbish" })],
  ["InvalidCursor", (orders) => orders.list({ cursor: "" })]
]

const isSame = (remote: unknown, local: unknown, what: string) => {
  assert.strictEqual(Object.getPrototypeOf(remote), Object.getPrototypeOf(local), what)
  assert.deepStrictEqual({ ...(remote as object) }, { ...(local as object) }, what)
  assert.strictEqual((remote as Error).message, (local as Error).message, what)
}

describe("what the order service refuses", () => {
  it.live("is refused remotely by the same error", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { local, remote } = yield* bothOrders()
        yield* prepare(local)
        const gold = { ...mugRequest, unitPrice: 9_000_000_000_000 }
        yield* local.saveProduct(products.mug, gold)
        yield* local.place(request(newOrderId(7)))
        for (const [tag, refused] of refusals) {
          const here = yield* Effect.flip(refused(local))
          assert.strictEqual(here._tag, tag)
          isSame(yield* Effect.flip(refused(remote)), here, tag)
        }
      })
    )
  )

  it.live("is refused remotely by the same error, if the shop wants to be paid first", () =>
    Effect.scoped(
      Effect.gen(function* () {
        const { local, remote } = yield* bothOrders({ autoConfirm: true, shipRequires: "captured" })
        yield* prepare(local).pipe(Effect.ignore)
        const here = yield* Effect.flip(local.ship(confirmed, {}))
        assert.strictEqual(here._tag, "PaymentRequiredBeforeShipment")
        isSame(yield* Effect.flip(remote.ship(confirmed, {})), here, here._tag)
      })
    )
  )

  it.live("comes back as it was, whatever it is and wherever it may be met", () =>
    Effect.scoped(
      Effect.gen(function* () {
        let failure: Error = new Error()
        const fail = () => Effect.fail(failure)
        const methods = [
          ...commandTable.map(({ method }) => method),
          "get",
          "list",
          "counts",
          "history",
          "at",
          "product",
          "customer"
        ]
        const faulty = stub(Object.fromEntries(methods.map((method) => [method, fail])) as unknown as Partial<Service>)
        const remote = yield* client({ baseUrl: yield* served(yield* Effect.provide(Orders, faulty)), retries: 0 })
        const calls: Readonly<Record<string, Refused>> = {
          place: (orders) => orders.place(request(orderId)),
          addLine: (orders) => orders.addLine(orderId, { productId, quantity: 1 }),
          changeLineQuantity: (orders) => orders.changeLineQuantity(orderId, a, { quantity: 1 }),
          removeLine: (orders) => orders.removeLine(orderId, a),
          changeShippingAddress: (orders) => orders.changeShippingAddress(orderId, request(orderId).shippingAddress),
          confirm: (orders) => orders.confirm(orderId),
          cancel: (orders) => orders.cancel(orderId, { reason: "other" }),
          cancelItems: (orders) => orders.cancelItems(orderId, { items }),
          ship: (orders) => orders.ship(orderId, {}),
          deliver: (orders) => orders.deliver(orderId, s),
          returnItems: (orders) => orders.returnItems(orderId, { items }),
          authorizePayment: (orders) => orders.authorizePayment(orderId, { amount: 1 }),
          capturePayment: (orders) => orders.capturePayment(orderId, p, {}),
          voidPayment: (orders) => orders.voidPayment(orderId, p),
          refundPayment: (orders) => orders.refundPayment(orderId, p, {}),
          saveProduct: (orders) => orders.saveProduct(productId, mugRequest),
          withdrawProduct: (orders) => orders.withdrawProduct(productId),
          saveCustomer: (orders) => orders.saveCustomer(customerId, { name: "Ada", email: "ada@example.org" }),
          withdrawCustomer: (orders) => orders.withdrawCustomer(customerId),
          get: (orders) => orders.get(orderId),
          list: (orders) => orders.list(),
          counts: (orders) => orders.counts(),
          history: (orders) => orders.history(orderId),
          at: (orders) => orders.at(orderId, 9)
        }
        const meets = Effect.fnUntraced(function* ([error]: Case, method: string) {
          failure = error
          const call = calls[method]
          assert.isDefined(call, method)
          const { cause: _, ...fields } = error as { readonly cause?: unknown }
          const there: unknown = yield* Effect.flip(call(remote))
          assert.strictEqual(Object.getPrototypeOf(there), Object.getPrototypeOf(error), `${method} ${error.name}`)
          assert.deepStrictEqual({ ...(there as object) }, fields, `${method} ${error.name}`)
        })
        for (const each of commandCases) {
          const own = rowsThatMeet(each[0].name)
          const catalogs = ["UnknownProduct", "UnknownCustomer"].includes(each[0].name)
          const any = catalogs ? commandTable.slice(0, 1) : commandTable
          for (const { method } of own.length > 0 ? own : any) yield* meets(each, method)
        }
        for (const each of queryCases) yield* meets(each, "list")
        for (const each of queryCases.filter(([error]) => error.name !== "InvalidCursor")) yield* meets(each, "counts")
        const versionNotFound = new VersionNotFound({ orderId, version: 9 })
        yield* meets([versionNotFound, "not-found", 404, {}], "at")
      })
    )
  )
})
