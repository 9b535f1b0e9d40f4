/** The ways in that are measured, on a database of their own, and a row of what they store. */
import { Context, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"
import { CustomerAggregate } from "../../src/catalog/Customer.ts"
import { demoCustomers, demoProducts } from "../../src/orders/DemoCatalog.ts"
import { ProductAggregate } from "../../src/catalog/Product.ts"
import { EventStore } from "../../src/eventstore/EventStore.ts"
import { Aggregates } from "../../src/aggregate/Aggregates.ts"
import type { Address } from "../../src/order/Text.ts"
import { Currency } from "../../src/order/Money.ts"
import { OrderAggregate } from "../../src/order/OrderAggregate.ts"
import { OrderCommand } from "../../src/order/OrderCommand.ts"
import { LineId, OrderId } from "../../src/order/OrderId.ts"
import type { PlaceOrderRequest } from "../../src/order/OrderRequest.ts"
import { Orders } from "../../src/orders/Orders.ts"
import * as EventSourcing from "../../src/kernel/EventSourcing.ts"
import { OrderQueries } from "../../src/views/order/OrderQueries.ts"

const shippingAddress: Address = {
  name: "Ada Lovelace",
  line1: "12 St James's Square",
  city: "London",
  postalCode: "SW1Y 4JH",
  country: "GB"
}

const currency = Currency.make("EUR")
const pick = <A>(choices: ReadonlyArray<A>, index: number): A => choices[index % choices.length]!

/** Two lines; unconfirmed, so that one command is one event, as one insert is one row. */
const request = (index: number): PlaceOrderRequest => ({
  customerId: pick(demoCustomers, index).customerId,
  currency,
  lines: [
    { productId: pick(demoProducts, index).productId, quantity: 2 },
    { productId: pick(demoProducts, index + 1).productId, quantity: 1 }
  ],
  shippingAddress,
  confirm: false
})

const { PlaceOrder } = OrderCommand.cases

/** The same, priced beforehand. */
export const command = (index: number): typeof PlaceOrder.Type => {
  const { customerId, email, name } = pick(demoCustomers, index)
  const line = (product: (typeof demoProducts)[number], number: number, quantity: number) => {
    const { productId, name, taxBps, unitPrice } = product
    return { lineId: LineId.make(`line_${number}`), productId, name, quantity, unitPrice, unitDiscount: 0, taxBps }
  }
  return {
    _tag: "PlaceOrder",
    orderId: OrderId.make(`ord_${SecureRandom.uuidV7Unsafe()}`),
    customerId,
    customer: { name, email },
    currency,
    lines: [line(pick(demoProducts, index), 1, 2), line(pick(demoProducts, index + 1), 2, 1)],
    shippingAddress,
    shippingCost: 0,
    confirm: false,
    request: "5mjZzF3yYxGXv0yVbLQH3n0cW1mYvH9q8mYg1p2f3kE"
  }
}

/** The events that placing such an order stores. */
export const placedEvent = (orderId: OrderId) => {
  const { _tag: _, confirm: __, ...placed } = command(0)
  return { _tag: "OrderPlaced" as const, ...placed, orderId }
}

/** The event that one such command stores, so that the compared rows have the same size. */
export const storedEvent = () => {
  const placed = command(0)
  const { _tag: _, confirm: __, ...event } = placed
  const commandId = SecureRandom.uuidV7Unsafe()
  return {
    streamId: `order-${placed.orderId}`,
    ...OrderAggregate.codec.encode({ _tag: "OrderPlaced", ...event }),
    metadata: { commandId, correlationId: commandId, causationId: commandId, customerId: placed.customerId }
  }
}

/** The layers of `OrdersLayers` without the projections, so nobody follows the log to make the view. */
const withoutView = (url: string) => OrdersLayers.layerNoDeps.pipe(Layer.provideMerge(EventSourcing.layerPostgres(url)))

/** Builds the backend with a small catalog in it; it lives as long as the scope. */
export const make = Effect.fnUntraced(function* (url: string, options: { readonly view: boolean }) {
  const backend = options.view ? OrdersLayers.layerPostgres(url) : withoutView(url)
  const services = yield* Layer.build(backend)
  const aggregates = Context.get(services, Aggregates)
  const orders = Context.get(services, Orders)
  const queries = Context.get(services, OrderQueries)
  const log = Context.get(services, EventStore)
  for (const save of demoProducts) yield* aggregates.send(ProductAggregate, save.productId, save)
  for (const save of demoCustomers) yield* aggregates.send(CustomerAggregate, save.customerId, save)
  let placed = 0
  /** Changes of one address after the other, on an order that is replaced long before its history is too long. */
  const hot = () => {
    let orderId: Effect.Effect<OrderId> | undefined
    let changes = 0
    const next = Effect.fnUntraced(function* () {
      const placeOrder = command(placed++)
      yield* aggregates.send(OrderAggregate, placeOrder.orderId, placeOrder, { fresh: true })
      return placeOrder.orderId
    }, Effect.orDie)
    return Effect.suspend(() => {
      if (orderId === undefined || changes % 5_000 === 0) orderId = Effect.runSync(Effect.cached(next()))
      const line1 = `${changes++} Mill Lane`
      return Effect.map(orderId, (orderId) => ({ orderId, address: { ...shippingAddress, line1 } }))
    })
  }
  const oneEvent = ({ events }: { readonly events: ReadonlyArray<unknown> }) =>
    events.length === 1 ? Effect.void : Effect.die(new Error(`a command stored ${events.length} events, not one`))
  const [hotForKernel, hotForOrders] = [hot(), hot()]
  return {
    /** The kernel alone: a priced command to the actor of a new order. */
    send: Effect.suspend(() => {
      const placeOrder = command(placed++)
      return aggregates.send(OrderAggregate, placeOrder.orderId, placeOrder, { fresh: true })
    }),
    /** All of it: the catalog's prices, the fingerprint, the actor, the receipt. */
    place: Effect.suspend(() => orders.place(request(placed++))),
    /** The same, each with an idempotency key of its own. */
    placeKeyed: Effect.suspend(() => orders.place(request(placed), { idempotencyKey: `order-${placed++}` })),
    /** A command on the same order as the ones before it, which stores an event: to the actor, and by all of the way. */
    hotKernel: Effect.flatMap(hotForKernel, ({ address, orderId }) =>
      Effect.flatMap(
        aggregates.send(OrderAggregate, orderId, { _tag: "ChangeShippingAddress", orderId, address }),
        oneEvent
      )
    ),
    hotOrders: Effect.flatMap(hotForOrders, ({ address, orderId }) =>
      Effect.flatMap(orders.changeShippingAddress(orderId, address), oneEvent)
    ),
    /** Waits until the view has all that is in the log. */
    viewIsThere: Effect.orDie(Effect.flatMap(log.head, ({ position }) => queries.awaitPosition(position)))
  }
})
