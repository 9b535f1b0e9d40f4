/**
 * Entry point `ordinal`: the order service. `Orders` is what a program talks to; `OrdersLayers` provides it in memory, in a
 * directory (PGlite) or on PostgreSQL. The types of its views are here too, since views have no entry point of their own.
 */
export { Orders } from "./Orders.ts"
export * as OrdersLayers from "./OrdersLayers.ts"
export * as OrdersLocal from "./OrdersLocal.ts"
export * as PriceLookup from "./PriceLookup.ts"
export * as DemoCatalog from "./DemoCatalog.ts"
export * from "./OrdersError.ts"
export type * from "./QueryOptions.ts"
export type { CommandReceipt, PlacedOrder, Receipt } from "./Receipt.ts"
export {
  isOrderEventMessage,
  orderEventData,
  type OrderEventMessage,
  type OrderEventType,
  type Push,
  type SubscribeOptions
} from "./Subscription.ts"
export type { CustomerView, ProductView } from "../views/catalog/CatalogView.ts"
export { CatalogViewProjection } from "../views/catalog/CatalogViewProjection.ts"
export {
  type FoundOrder,
  OrderCounts,
  OrderFilter,
  type OrderPage,
  OrderQueries,
  OrderSort
} from "../views/order/OrderQueries.ts"
export { type Freshness, InvalidCursor, type TokenError } from "../projection/view/ViewQuery.ts"
export { OrderLineView, OrderView } from "../views/order/OrderView.ts"
export type { StoredOrder } from "../views/order/StoredOrder.ts"
