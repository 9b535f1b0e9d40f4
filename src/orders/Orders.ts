/**
 * The order service: what an embedder uses in process, and what the HTTP handlers are a thin skin of.
 *
 * Commands answer once their events are durable; queries answer from the order view, which follows. A receipt's `token`
 * given to a query makes it wait for that write.
 */
import { Context, type Effect, type Scope, type Stream } from "effect"
import type { CatalogService } from "./CatalogService.ts"
import type { PublishedEvent } from "../aggregate/PublishedEvent.ts"
import type { CommandName } from "../order/OrderCommand.ts"
import type { LineId, OrderId, PaymentId, ShipmentId } from "../order/OrderId.ts"
import type { OrderNotFound } from "../order/OrderRejection.ts"
import type * as Request from "../order/OrderRequest.ts"
import type { PlacedOrder } from "./PlacedOrder.ts"
import type { InvalidCursor } from "../views/InvalidCursor.ts"
import type { OrderFilter, OrderSort } from "../views/order/OrderFilter.ts"
import type { OrderCounts } from "../views/order/OrderQueries.ts"
import type { OrderView } from "../views/order/OrderView.ts"
import type { VersionNotFound } from "./VersionNotFound.ts"
import type { Push, SubscribeOptions } from "./Subscription.ts"
import type {
  Receipt,
  WaitOptions,
  QueryOptions,
  Answer,
  Page,
  CommandError,
  PlaceError,
  AddLineError,
  ReadError,
  QueryError,
  SubscribeError
} from "./Answer.ts"
import type { CommandOptions } from "../aggregate/idempotency/Submission.ts"

type Stored<Name extends CommandName> = Effect.Effect<Receipt, CommandError<Name>>
type Command<Name extends CommandName, Body> = (
  orderId: OrderId,
  request: Body,
  options?: CommandOptions
) => Stored<Name>

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
>()("ordinal/orders/Orders") {}
