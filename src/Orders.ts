/**
 * The order service: what an embedder uses in process, and what the HTTP handlers are a thin skin of.
 *
 * Commands answer once their events are durable; queries answer from the order view, which follows. A receipt's `token`
 * given to a query makes it wait for that write.
 */
import { Context, type Duration, type Effect, Layer, type Scope, type Stream } from "effect"
import * as Backend from "./Backend.ts"
import type { UnknownCustomer, UnknownProduct } from "./catalog/Catalog.ts"
import type { SaveCustomerRequest, CustomerNotFound } from "./catalog/Customer.ts"
import type { SaveProductRequest, ProductNotFound } from "./catalog/Product.ts"
import * as InProcessOrders from "./InProcessOrders.ts"
import type { RecordedEvent } from "./eventlog/RecordedEvent.ts"
import type { DatabaseUnavailable } from "./eventlog/Unavailable.ts"
import type { SendOptions } from "./eventsourcing/Aggregates.ts"
import type { OnceError } from "./eventsourcing/KeyedCommands.ts"
import type { SendError, Unavailable } from "./eventsourcing/SendError.ts"
import {
  type CustomerId,
  type LineId,
  OrderId,
  type PaymentId,
  type ProductId,
  type ShipmentId
} from "./order/OrderId.ts"
import type { InvalidOrder, OrderNotFound, OrderRejection } from "./order/OrderRejection.ts"
import type * as Request from "./order/OrderRequest.ts"
import type { OrderStatus, PaymentStatus } from "./order/OrderStatus.ts"
import type { InvalidToken } from "./projection/ConsistencyToken.ts"
import type { ProjectionBehind } from "./projection/ProjectionBehind.ts"
import type { InvalidCursor } from "./readmodel/Cursor.ts"
import type { OrderFilter, OrderSort } from "./readmodel/OrderFilter.ts"
import type { VersionNotFound } from "./readmodel/OrderHistory.ts"
import type { Freshness } from "./readmodel/OrderQueries.ts"
import type { OrderView } from "./readmodel/OrderView.ts"
import type { InvalidPosition, Push, SubscribeOptions } from "./Subscription.ts"

/** An accepted and stored command on an order. `events` are wire types; none = there was nothing to do. */
export interface Receipt {
  readonly orderId: OrderId
  readonly version: number
  readonly position: bigint
  readonly commandId: string
  readonly status: OrderStatus
  readonly paymentStatus: PaymentStatus
  readonly events: ReadonlyArray<string>
  /** Consistency token: a query that is given it contains this write. */
  readonly token: string
  /** True if the command had been accepted before under its idempotency key: this is the answer of then. */
  readonly replayed: boolean
}

export interface CommandOptions extends SendOptions {
  /** Makes the command take effect at most once however often it is sent, for as long as its row is kept. */
  readonly idempotencyKey?: string
}

/** An accepted and stored command on a product or a customer. */
export interface CatalogReceipt {
  readonly version: number
  readonly position: bigint
  readonly commandId: string
  readonly events: ReadonlyArray<string>
  readonly token: string
  readonly replayed: boolean
}

/** A product or customer as it is now, from its actor. Withdrawn ones can't be ordered, or order. */
export interface Product extends SaveProductRequest {
  readonly productId: ProductId
  readonly version: number
  readonly withdrawn: boolean
}

export interface Customer extends SaveCustomerRequest {
  readonly customerId: CustomerId
  readonly version: number
  readonly withdrawn: boolean
}

export interface QueryOptions {
  /** At least as fresh as this token. */
  readonly token?: string
  /** How long to wait for the view to get there; default 2 s, at most 30 s. */
  readonly wait?: Duration.Input
}

export interface Answer {
  readonly freshness: Freshness
  readonly token: string
}

export type CommandError = OrderRejection | SendError | OnceError
export type PlaceError = CommandError | InvalidOrder | UnknownProduct | UnknownCustomer
export type SubscribeError = InvalidPosition | DatabaseUnavailable
export type QueryError = InvalidToken | ProjectionBehind | DatabaseUnavailable

type Command<Body> = (orderId: OrderId, request: Body, options?: CommandOptions) => Effect.Effect<Receipt, CommandError>

export class Orders extends Context.Service<
  Orders,
  {
    /** Prices the lines from the catalog, then places the order; confirms it too unless told otherwise. */
    place(request: Request.PlaceOrderRequest, options?: CommandOptions): Effect.Effect<Receipt, PlaceError>
    addLine(
      orderId: OrderId,
      request: Request.AddLineRequest,
      options?: CommandOptions
    ): Effect.Effect<Receipt, PlaceError>
    changeLineQuantity(
      orderId: OrderId,
      lineId: LineId,
      request: Request.ChangeLineQuantityRequest,
      options?: CommandOptions
    ): Effect.Effect<Receipt, CommandError>
    removeLine(orderId: OrderId, lineId: LineId, options?: CommandOptions): Effect.Effect<Receipt, CommandError>
    readonly changeShippingAddress: Command<Request.ChangeShippingAddressRequest>
    confirm(orderId: OrderId, options?: CommandOptions): Effect.Effect<Receipt, CommandError>
    readonly cancel: Command<Request.CancelOrderRequest>
    readonly cancelItems: Command<Request.CancelItemsRequest>
    readonly ship: Command<Request.ShipItemsRequest>
    deliver(orderId: OrderId, shipmentId: ShipmentId, options?: CommandOptions): Effect.Effect<Receipt, CommandError>
    readonly returnItems: Command<Request.ReturnItemsRequest>
    readonly authorizePayment: Command<Request.AuthorizePaymentRequest>
    capturePayment(
      orderId: OrderId,
      paymentId: PaymentId,
      request: Request.CapturePaymentRequest,
      options?: CommandOptions
    ): Effect.Effect<Receipt, CommandError>
    voidPayment(orderId: OrderId, paymentId: PaymentId, options?: CommandOptions): Effect.Effect<Receipt, CommandError>
    refundPayment(
      orderId: OrderId,
      paymentId: PaymentId,
      request: Request.RefundPaymentRequest,
      options?: CommandOptions
    ): Effect.Effect<Receipt, CommandError>

    /** The order as the view has it. With a token never "not found" merely because the view is behind. */
    get(
      orderId: OrderId,
      options?: QueryOptions
    ): Effect.Effect<Answer & { readonly order: OrderView }, OrderNotFound | QueryError>
    /** A page in the given order (`-placedAt`, newest first, by default); `limit` 1..100, default 20. */
    list(
      query?: {
        readonly filter?: OrderFilter
        readonly sort?: OrderSort
        readonly limit?: number
        readonly cursor?: string
      },
      options?: QueryOptions
    ): Effect.Effect<
      Answer & { readonly orders: ReadonlyArray<OrderView>; readonly hasMore: boolean; readonly next?: string },
      InvalidCursor | QueryError
    >
    /** The order's events from `after + 1` on, straight from the log; `limit` 1..500, default 100. */
    events(
      orderId: OrderId,
      options?: { readonly after?: number; readonly limit?: number }
    ): Effect.Effect<ReadonlyArray<RecordedEvent>, OrderNotFound | DatabaseUnavailable>

    /** The order as it was at version `version`. */
    at(
      orderId: OrderId,
      version: number
    ): Effect.Effect<OrderView, OrderNotFound | VersionNotFound | DatabaseUnavailable>

    /**
     * Events as they happen. Whatever is stored from the moment the effect is done, or after `after`, is in the stream
     * once, in order; `Stream.unwrap` makes one of the two. A stream that fails can be taken up again after the position
     * of the last push.
     */
    subscribe(
      options?: SubscribeOptions
    ): Effect.Effect<Stream.Stream<Push, SubscribeError>, SubscribeError, Scope.Scope>

    saveProduct(
      productId: ProductId,
      product: SaveProductRequest,
      options?: CommandOptions
    ): Effect.Effect<CatalogReceipt, ProductNotFound | SendError | OnceError>
    withdrawProduct(
      productId: ProductId,
      options?: CommandOptions
    ): Effect.Effect<CatalogReceipt, ProductNotFound | SendError | OnceError>
    product(productId: ProductId): Effect.Effect<Product, ProductNotFound | Unavailable>
    saveCustomer(
      customerId: CustomerId,
      customer: SaveCustomerRequest,
      options?: CommandOptions
    ): Effect.Effect<CatalogReceipt, CustomerNotFound | SendError | OnceError>
    withdrawCustomer(
      customerId: CustomerId,
      options?: CommandOptions
    ): Effect.Effect<CatalogReceipt, CustomerNotFound | SendError | OnceError>
    customer(customerId: CustomerId): Effect.Effect<Customer, CustomerNotFound | Unavailable>
  }
>()("ordinal/Orders") {
  /** In this process, on whatever backend is provided. */
  static readonly layer = Layer.effect(Orders, InProcessOrders.make)
  /** Nothing is kept beyond the process: for tests and trials. */
  static readonly layerMemory = Orders.layer.pipe(Layer.provide(Backend.memory))
  /** An embedded PostgreSQL in a directory, or "memory". Survives kill -9, but not a power cut. */
  static readonly layerEmbedded = (directory: string) => Orders.layer.pipe(Layer.provide(Backend.embedded(directory)))
  /** A PostgreSQL server at `postgres://…`; its schema `ordinal` is made or brought up to date. */
  static readonly layerPostgres = (url: string) => Orders.layer.pipe(Layer.provide(Backend.postgres(url)))
}
