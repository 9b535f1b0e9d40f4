/** The order service in this process, and the same one seen through HTTP. */
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"
import { Context, Effect, Layer } from "effect"
import { Address } from "../../src/order/Text.ts"
import { Currency } from "../../src/order/Money.ts"
import { CustomerId, LineId, OrderId, ProductId } from "../../src/order/OrderId.ts"
import { defaultPolicies, OrderPolicies } from "../../src/order/OrderPolicies.ts"
import type { PlaceOrderRequest } from "../../src/order/OrderRequest.ts"
import { Orders } from "../../src/orders/Orders.ts"
import * as OrdersClient from "../../src/http/client/OrdersClient.ts"
import { ada, address, mug } from "../fixtures/Shop.ts"
import { start } from "../servers/ApiServer.ts"

export type Service = Orders["Service"]

/** A server over that service; its URL. */
export const served = (orders: Service) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(() => start({ orders: Layer.succeed(Orders, orders) })),
      ({ stop }) => Effect.promise(stop)
    ),
    ({ url }) => url
  )

export const client = (options: OrdersClient.Options) =>
  Effect.map(Layer.build(OrdersClient.layer(options)), Context.get(Orders))

export const bothOrders = Effect.fnUntraced(function* (policies: OrderPolicies = defaultPolicies) {
  const layer = Layer.fresh(OrdersLayers.layerMemory).pipe(Layer.provide(Layer.succeed(OrderPolicies, policies)))
  const local = Context.get(yield* Layer.build(layer), Orders)
  const remote = yield* client({ baseUrl: yield* served(local), retries: 0 })
  return { local, remote }
})

export const products = { mug: ProductId.make("mug"), none: ProductId.make("none") }
export const customers = { ada: CustomerId.make("ada"), none: CustomerId.make("nobody") }
export const euro = Currency.make("EUR")
export const mugRequest = { ...mug, currency: euro }
export const home = Address.make(address)

export const request = (orderId: OrderId, extra: Partial<PlaceOrderRequest> = {}): PlaceOrderRequest => ({
  orderId,
  customerId: customers.ada,
  currency: euro,
  lines: [{ productId: products.mug, quantity: 5, lineId: LineId.make("a") }],
  shippingAddress: home,
  confirm: false,
  ...extra
})

export const newOrderId = (digits: number) =>
  OrderId.make(`ord_01890000-0000-7000-8000-${String(digits).padStart(12, "0")}`)

export const stock = (orders: Service) =>
  Effect.andThen(orders.saveProduct(products.mug, mugRequest), orders.saveCustomer(customers.ada, ada))
