/**
 * Makes an `Orders` of another one, in process or remote, that checks what it is given before it does anything: ids,
 * requests and filters by the schemas of the HTTP API, so that a mistake fails with the same `InvalidRequest` wherever
 * the service is, and an unknown member (`itmes`) is never ignored. Numbers out of range are left to the methods.
 */
import { Duration, Effect, Option, Schema } from "effect"
import { check, InvalidRequest, type Mistake } from "../aggregate/InvalidRequest.ts"
import { SaveCustomerRequest } from "../catalog/Customer.ts"
import { SaveProductRequest } from "../catalog/Product.ts"
import { CustomerId, LineId, OrderId, PaymentId, ProductId, ShipmentId } from "../order/OrderId.ts"
import * as Request from "../order/OrderRequest.ts"
import { OrderFilter, OrderSort } from "../views/order/OrderQueries.ts"
import type { Orders } from "./Orders.ts"
import type { CatalogListRequest, CatalogWaitOptions, OrderListRequest, WaitOptions } from "./QueryOptions.ts"
import * as Subscription from "./Subscription.ts"

type Service = Orders["Service"]
type Check<Argument> = (argument: Argument) => ReadonlyArray<Mistake>

const optional = Schema.optionalKey

/** Makes a method that fails before it begins if one of its arguments has a mistake. */
const checked =
  <Arguments extends ReadonlyArray<unknown>, A, E, R>(
    method: (...args: Arguments) => Effect.Effect<A, E, R>,
    ...checks: { readonly [Index in keyof Arguments]?: Check<Arguments[Index]> }
  ) =>
  (...args: Arguments): Effect.Effect<A, E | InvalidRequest, R> =>
    Effect.suspend((): Effect.Effect<A, E | InvalidRequest, R> => {
      const mistakes = args.flatMap((argument, index) => checks[index]?.(argument) ?? [])
      return mistakes.length === 0 ? method(...args) : Effect.fail(InvalidRequest.all(mistakes))
    })

const [order, product, customer] = [
  check(OrderId, "path.id"),
  check(ProductId, "path.id"),
  check(CustomerId, "path.id")
]
const [line, shipment] = [check(LineId, "path.lineId"), check(ShipmentId, "path.shipmentId")]
const payment = check(PaymentId, "path.paymentId")

const orderList = check(
  Schema.Struct({ ...OrderFilter.fields, sort: optional(OrderSort), cursor: optional(Schema.String) }),
  "query"
)
const list = (request: OrderListRequest = {}) => {
  const { filter, limit: _, ...rest } = request
  return orderList({ ...filter, ...rest })
}

const catalogPage = check(
  Schema.Struct({ withdrawn: optional(Schema.Boolean), cursor: optional(Schema.String) }),
  "query"
)
const catalogList = (request: CatalogListRequest = {}) => {
  const { limit: _, ...rest } = request
  return catalogPage(rest)
}

const customerFilter = check(Schema.Struct({ customerId: optional(CustomerId) }), "query")
const counts = (filter: Parameters<Service["counts"]>[0] = {}) => customerFilter(filter)

const duration = (path: string, value: Duration.Input | undefined): ReadonlyArray<Mistake> =>
  value === undefined || Option.isSome(Duration.fromInput(value)) ? [] : [{ path, message: "Expected a duration" }]

const wait = ({ wait }: WaitOptions = {}) => duration("options.wait", wait)

const entryIds = check(Schema.Struct({ productId: optional(ProductId), customerId: optional(CustomerId) }), "options")
const catalogWait = ({ customerId, productId, ...options }: CatalogWaitOptions = {}) => [
  ...entryIds({ ...(customerId && { customerId }), ...(productId && { productId }) }),
  ...wait(options)
]

const texts = Schema.Array(Schema.String)
const wanted = check(
  Schema.Struct({
    orderId: optional(OrderId),
    customerId: optional(CustomerId),
    after: optional(Schema.String.check(Schema.isPattern(Subscription.positionText, { expected: "a position" }))),
    type: optional(texts),
    category: optional(texts)
  }),
  "query"
)
const subscription = (options: Subscription.SubscribeOptions = {}) => {
  const { after, categories: category, heartbeat, types: type, ...filter } = options
  const position = typeof after === "string" ? { after } : {}
  const named = { ...filter, ...position, ...(type && { type }), ...(category && { category }) }
  return [...wanted(named), ...duration("options.heartbeat", heartbeat)]
}

const uncheckedOf = new WeakMap<Service, Service>()

/** Gives the service that a checked one was made of, to a caller whose own schemas have checked the arguments. */
export const unchecked = (orders: Service): Service => uncheckedOf.get(orders) ?? orders

/** Tells whether this is a service of this program: what it answers has its type, which of others nobody knows. */
export const isOwn = (orders: Service): boolean => uncheckedOf.has(orders)

export const make = (orders: Service): Service => {
  const subscribe = checked(orders.subscribe, subscription)
  const service: Service = {
    place: checked(orders.place, check(Request.PlaceOrderRequest)),
    placeAndWait: checked(orders.placeAndWait, check(Request.PlaceOrderRequest), wait),
    addLine: checked(orders.addLine, order, check(Request.AddLineRequest)),
    changeLineQuantity: checked(orders.changeLineQuantity, order, line, check(Request.ChangeLineQuantityRequest)),
    removeLine: checked(orders.removeLine, order, line),
    changeShippingAddress: checked(orders.changeShippingAddress, order, check(Request.ChangeShippingAddressRequest)),
    confirm: checked(orders.confirm, order),
    cancel: checked(orders.cancel, order, check(Request.CancelOrderRequest)),
    cancelItems: checked(orders.cancelItems, order, check(Request.CancelItemsRequest)),
    ship: checked(orders.ship, order, check(Request.ShipItemsRequest)),
    deliver: checked(orders.deliver, order, shipment),
    returnItems: checked(orders.returnItems, order, check(Request.ReturnItemsRequest)),
    authorizePayment: checked(orders.authorizePayment, order, check(Request.AuthorizePaymentRequest)),
    capturePayment: checked(orders.capturePayment, order, payment, check(Request.CapturePaymentRequest)),
    voidPayment: checked(orders.voidPayment, order, payment),
    refundPayment: checked(orders.refundPayment, order, payment, check(Request.RefundPaymentRequest)),
    get: checked(orders.get, order, wait),
    list: checked(orders.list, list, wait),
    counts: checked(orders.counts, counts, wait),
    history: checked(orders.history, order),
    at: checked(orders.at, order),
    subscribe,
    events: Subscription.events(subscribe),
    saveProduct: checked(orders.saveProduct, product, check(SaveProductRequest)),
    withdrawProduct: checked(orders.withdrawProduct, product),
    product: checked(orders.product, product),
    products: checked(orders.products, catalogList, wait),
    saveCustomer: checked(orders.saveCustomer, customer, check(SaveCustomerRequest)),
    withdrawCustomer: checked(orders.withdrawCustomer, customer),
    customer: checked(orders.customer, customer),
    customers: checked(orders.customers, catalogList, wait),
    awaitCatalog: checked(orders.awaitCatalog, () => [], catalogWait)
  }
  uncheckedOf.set(service, orders).set(orders, orders)
  return service
}
