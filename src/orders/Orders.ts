/**
 * The order service: what an embedder uses in process, and what the HTTP handlers are a thin skin of.
 *
 * Commands answer once their events are durable; queries answer from the order view, which follows. A receipt's `token`
 * given to a query makes it wait for that write.
 */
import { Context, type Duration, Effect, Layer, type Scope, type Stream } from "effect"
import type { CatalogService } from "./CatalogService.ts"
import type { UnknownCustomer, UnknownProduct } from "../catalog/Catalog.ts"
import type { DatabaseUnavailable, Overloaded } from "../eventstore/Unavailable.ts"
import type { SendOptions } from "../aggregate/Aggregates.ts"
import type { InvalidIdempotencyKey } from "../aggregate/idempotency/InvalidIdempotencyKey.ts"
import type { OnceError } from "../aggregate/idempotency/KeyedCommands.ts"
import type { PublishedEvent } from "../aggregate/PublishedEvent.ts"
import type { Draining, SendError } from "../aggregate/SendError.ts"
import type { CommandName } from "../order/OrderCommand.ts"
import type { LineId, OrderId, PaymentId, ShipmentId } from "../order/OrderId.ts"
import type { OrderNotFound } from "../order/OrderRejection.ts"
import type * as Request from "../order/OrderRequest.ts"
import type { OrderStatus, PaymentStatus } from "../order/OrderStatus.ts"
import type { RejectionOf } from "../order/RejectionOf.ts"
import type { PlacedOrder } from "./PlacedOrder.ts"
import type { InvalidToken } from "../projection/consistency/ConsistencyToken.ts"
import type { ProjectionBehind } from "../projection/consistency/ProjectionBehind.ts"
import type { InvalidCursor } from "../views/InvalidCursor.ts"
import type { OrderFilter, OrderSort } from "../views/order/OrderFilter.ts"
import type { Freshness, OrderCounts } from "../views/order/OrderQueries.ts"
import type { OrderView } from "../views/order/OrderView.ts"
import type { VersionNotFound } from "./VersionNotFound.ts"
import type { ServerUnreachable } from "./ServerUnreachable.ts"
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

export interface WaitOptions {
  /** How long to wait for the view to get there; default 2 s, at most 30 s. */
  readonly wait?: Duration.Input
}

export interface QueryOptions extends WaitOptions {
  /** At least as fresh as this token. */
  readonly token?: string
}

export interface Answer {
  readonly freshness: Freshness
  readonly token: string
}

/** A part of a list under that name, and the cursor of the next one. */
export type Page<Name extends string, Item> = Answer & {
  readonly [Items in Name]: ReadonlyArray<Item>
} & { readonly hasMore: boolean; readonly next?: string }

/** What any command of any aggregate may answer besides the domain's own. */
export type SubmitError = SendError | OnceError | InvalidIdempotencyKey | ServerUnreachable
export type CommandError<Name extends CommandName = CommandName> = RejectionOf<Name> | SubmitError
export type PlaceError = CommandError<"PlaceOrder"> | UnknownProduct | UnknownCustomer
export type AddLineError = CommandError<"AddLine"> | UnknownProduct
/** What any query may answer besides its own. */
export type ReadError = DatabaseUnavailable | Overloaded | Draining | ServerUnreachable
export type QueryError = InvalidToken | ProjectionBehind | ReadError
export type SubscribeError = InvalidPosition | ReadError

type Stored<Name extends CommandName> = Effect.Effect<Receipt, CommandError<Name>>
type Command<Name extends CommandName, Body> = (
  orderId: OrderId,
  request: Body,
  options?: CommandOptions
) => Stored<Name>

// What runs an order service is loaded as its layer is built, since clients of a remote one import this file, too.
const inProcess = Effect.promise(() => import("./InProcessOrders.ts"))
const backend = <A, E, R>(choose: (Backend: typeof import("./Backend.ts")) => Layer.Layer<A, E, R>) =>
  Layer.unwrap(
    Effect.map(
      Effect.promise(() => import("./Backend.ts")),
      choose
    )
  )

export class Orders extends Context.Service<
  Orders,
  CatalogService & {
    /** Prices the lines from the catalog, then places the order; confirms it too unless told otherwise. */
    place(request: Request.PlaceOrderRequest, options?: CommandOptions): Effect.Effect<Receipt, PlaceError>
    /** Places it, then waits for the view. */
    placeAndWait(
      request: Request.PlaceOrderRequest,
      options?: CommandOptions & WaitOptions
    ): Effect.Effect<PlacedOrder, PlaceError>
    addLine(
      orderId: OrderId,
      request: Request.AddLineRequest,
      options?: CommandOptions
    ): Effect.Effect<Receipt, AddLineError>
    changeLineQuantity(
      orderId: OrderId,
      lineId: LineId,
      request: Request.ChangeLineQuantityRequest,
      options?: CommandOptions
    ): Stored<"ChangeLineQuantity">
    removeLine(orderId: OrderId, lineId: LineId, options?: CommandOptions): Stored<"RemoveLine">
    readonly changeShippingAddress: Command<"ChangeShippingAddress", Request.ChangeShippingAddressRequest>
    confirm(orderId: OrderId, options?: CommandOptions): Stored<"ConfirmOrder">
    readonly cancel: Command<"CancelOrder", Request.CancelOrderRequest>
    readonly cancelItems: Command<"CancelItems", Request.CancelItemsRequest>
    readonly ship: Command<"ShipItems", Request.ShipItemsRequest>
    deliver(orderId: OrderId, shipmentId: ShipmentId, options?: CommandOptions): Stored<"DeliverShipment">
    readonly returnItems: Command<"ReturnItems", Request.ReturnItemsRequest>
    readonly authorizePayment: Command<"AuthorizePayment", Request.AuthorizePaymentRequest>
    capturePayment(
      orderId: OrderId,
      paymentId: PaymentId,
      request: Request.CapturePaymentRequest,
      options?: CommandOptions
    ): Stored<"CapturePayment">
    voidPayment(orderId: OrderId, paymentId: PaymentId, options?: CommandOptions): Stored<"VoidPayment">
    refundPayment(
      orderId: OrderId,
      paymentId: PaymentId,
      request: Request.RefundPaymentRequest,
      options?: CommandOptions
    ): Stored<"RefundPayment">

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
    ): Effect.Effect<Page<"orders", OrderView>, InvalidCursor | QueryError>
    /** How many orders there are in each status, of one customer or of all. */
    counts(
      filter?: Pick<OrderFilter, "customerId">,
      options?: QueryOptions
    ): Effect.Effect<Answer & { readonly counts: OrderCounts }, QueryError>
    /** The order's events from version `after + 1` on, straight from the log; `limit` 1..500, default 100. */
    history(
      orderId: OrderId,
      options?: { readonly after?: number; readonly limit?: number }
    ): Effect.Effect<ReadonlyArray<PublishedEvent>, OrderNotFound | ReadError>

    /** The order as it was at version `version`. */
    at(orderId: OrderId, version: number): Effect.Effect<OrderView, OrderNotFound | VersionNotFound | ReadError>

    /**
     * Events as they happen. Whatever is stored from the moment the effect is done, or after `after`, is in the stream
     * once, in order. A stream that fails can be taken up again after the position of the last push.
     */
    subscribe(
      options?: SubscribeOptions
    ): Effect.Effect<Stream.Stream<Push, SubscribeError>, SubscribeError, Scope.Scope>
    /** Only the events of a subscription that begins as the stream is run; `subscribe` also says which are `ahead`. */
    events(options?: SubscribeOptions): Stream.Stream<PublishedEvent, SubscribeError>
  }
>()("ordinal/Orders") {
  /** In this process, on whatever backend is provided. */
  static readonly layer = Layer.unwrap(
    Effect.map(inProcess, (InProcessOrders) => Layer.effect(Orders, InProcessOrders.make))
  )
  /** Nothing is kept beyond the process: for tests and trials. */
  static readonly layerMemory = Orders.layer.pipe(Layer.provide(backend(({ memory }) => memory)))
  /** An embedded PostgreSQL in a directory, or "memory". Survives kill -9, but not a power cut. */
  static readonly layerEmbedded = (directory: string) =>
    Orders.layer.pipe(Layer.provide(backend(({ embedded }) => embedded(directory))))
  /** A PostgreSQL server at `postgres://…`; its schema `ordinal` is made or brought up to date. */
  static readonly layerPostgres = (url: string) =>
    Orders.layer.pipe(Layer.provide(backend(({ postgres }) => postgres(url))))
}
