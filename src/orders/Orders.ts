/**
 * The order service, behind one interface: in this process (`OrdersLayers`) or of a server (`OrdersClient`).
 *
 * A command answers once its events are durable; a failed one has stored nothing, unless it fails with
 * `OutcomeUnknown`. A query answers from a view that follows the log; given a receipt's `token` it waits until the view
 * holds that write. Each method names its own errors; those that any command or query shares are at `SubmitError` and
 * `QueryError`.
 */
import { Context, type Effect, type Scope, type Stream } from "effect"
import type { CommandOptions } from "../aggregate/idempotency/Commands.ts"
import type { PublishedEvent } from "../aggregate/PublishedEvent.ts"
import type { CustomerNotFound, SaveCustomerRequest } from "../catalog/Customer.ts"
import type { ProductNotFound, SaveProductRequest } from "../catalog/Product.ts"
import type { CommandName } from "../order/OrderCommand.ts"
import type { CustomerId, LineId, OrderId, PaymentId, ProductId, ShipmentId } from "../order/OrderId.ts"
import type { OrderNotFound } from "../order/OrderRejection.ts"
import type * as Request from "../order/OrderRequest.ts"
import type { CustomerView, ProductView } from "../views/catalog/CatalogView.ts"
import type { OrderCounts, OrderFilter } from "../views/order/OrderQueries.ts"
import type { OrderView } from "../views/order/OrderView.ts"
import type {
  AddLineError,
  CommandError,
  PlaceError,
  QueryError,
  ReadError,
  SubmitError,
  SubscribeError,
  VersionNotFound
} from "./OrdersError.ts"
import type { InvalidToken } from "../projection/consistency/ConsistencyToken.ts"
import type * as Query from "./QueryOptions.ts"
import type { CommandReceipt, PlacedOrder, Receipt } from "./Receipt.ts"
import type { Push, SubscribeOptions } from "./Subscription.ts"

/** Any command on an existing order may fail with `OrderNotFound` (check the id) and `OrderTooLong` (10,000 events). */
type OrderCommand<Name extends CommandName, Arguments extends ReadonlyArray<unknown> = [], Error = never> = (
  orderId: OrderId,
  ...rest: [...Arguments, options?: CommandOptions]
) => Effect.Effect<Receipt, CommandError<Name> | Error>

type CatalogCommand<Error = never> = Effect.Effect<CommandReceipt, Error | SubmitError>
type Pushes = Stream.Stream<Push, SubscribeError>
type TokenOption = Query.TokenOption

export class Orders extends Context.Service<
  Orders,
  {
    /**
     * Places an order: prices its lines from the catalog as it is at the commit, and confirms it too unless `confirm` or
     * the policy `autoConfirm` says otherwise. The same request again with the same `orderId` stores nothing and succeeds.
     *
     * Fails with `UnknownProduct` or `UnknownCustomer` (save them, or order others), `InvalidOrder` (correct the fields
     * that `errors` names), `OrderExists` (the id is another order's: use a new one). No command can be part of a
     * transaction of yours: inside `sql.withTransaction` of the same database it fails with `InvalidRequest` and stores
     * nothing. Send it before the transaction or after it.
     */
    place(request: Request.PlaceOrderRequest, options?: CommandOptions): Effect.Effect<Receipt, PlaceError>
    /**
     * Places an order, and fails, as `place` does, then waits until the order view has it: for `wait`, 2 s by default,
     * 30 s at most. If the view does not have it by then, the order is stored all the same, and the answer holds its
     * receipt.
     */
    placeAndWait(
      request: Request.PlaceOrderRequest,
      options?: CommandOptions & Query.WaitOptions
    ): Effect.Effect<PlacedOrder, PlaceError>
    /**
     * Adds a line, at the catalog's price of now, while the order is `placed`. The same `lineId` again with the same
     * content stores nothing; with another it fails with `IdReused` (use another id). Fails with `UnknownProduct`
     * (order another), `InvalidOrder` (correct the named fields), `InvalidTransition` (see its `allowed`).
     */
    readonly addLine: OrderCommand<"AddLine", [request: Request.AddLineRequest], AddLineError>
    /**
     * Changes a line's quantity while the order is `placed`. Fails with `LineNotFound` (use a line of the order),
     * `InvalidOrder` (the total would be too large: order less), `InvalidTransition` (see its `allowed`).
     */
    readonly changeLineQuantity: OrderCommand<
      "ChangeLineQuantity",
      [lineId: LineId, request: Request.ChangeLineQuantityRequest]
    >
    /**
     * Removes a line while the order is `placed`; its id stays used. Fails with `LineNotFound` (use a line of the
     * order), `LastLine` (cancel the order instead), `InvalidTransition` (see its `allowed`).
     */
    readonly removeLine: OrderCommand<"RemoveLine", [lineId: LineId]>
    /** Replaces the shipping address while nothing is shipped. Fails with `InvalidTransition` (see its `allowed`). */
    readonly changeShippingAddress: OrderCommand<
      "ChangeShippingAddress",
      [request: Request.ChangeShippingAddressRequest]
    >
    /** Confirms a placed order; a confirmed one stays so. Fails with `InvalidTransition` if it is cancelled. */
    readonly confirm: OrderCommand<"ConfirmOrder">
    /**
     * Cancels the whole order while nothing is shipped, and records the amounts to void and to refund; stores nothing
     * if it is cancelled. Fails with `OrderAlreadyShipped` (cancel or return items instead, as its `hint` says).
     */
    readonly cancel: OrderCommand<"CancelOrder", [request: Request.CancelOrderRequest]>
    /**
     * Cancels items that are not shipped, after the order is confirmed; the last ones cancel the order. Fails with
     * `LineNotFound`, `QuantityExceeded` (cancel at most what is `available`), `IdReused` (use another
     * `cancellationId`), `InvalidTransition` (see its `allowed`).
     */
    readonly cancelItems: OrderCommand<"CancelItems", [request: Request.CancelItemsRequest]>
    /**
     * Ships the named items, or without `items` all that is outstanding. Fails with `PaymentRequiredBeforeShipment`
     * (authorize or capture what is `missing`), `LineNotFound`, `QuantityExceeded` (ship at most what is `available`),
     * `IdReused` (use another `shipmentId`), `InvalidTransition` (see its `allowed`).
     */
    readonly ship: OrderCommand<"ShipItems", [request: Request.ShipItemsRequest]>
    /** Records that a shipment was delivered, once. Fails with `ShipmentNotFound` (check its id). */
    readonly deliver: OrderCommand<"DeliverShipment", [shipmentId: ShipmentId]>
    /**
     * Takes shipped items back. Fails with `LineNotFound`, `QuantityExceeded` (return at most what is `available`),
     * `IdReused` (use another `returnId`), `InvalidTransition` (nothing is shipped: see its `allowed`).
     */
    readonly returnItems: OrderCommand<"ReturnItems", [request: Request.ReturnItemsRequest]>
    /**
     * Records that a provider authorized a payment. Amounts are in minor units of the order's currency. Fails with
     * `AmountExceeded` (authorize at most what is `available`), `IdReused` (use another `paymentId`),
     * `InvalidTransition` (see its `allowed`).
     */
    readonly authorizePayment: OrderCommand<"AuthorizePayment", [request: Request.AuthorizePaymentRequest]>
    /**
     * Records the capture of an authorized payment: of `amount`, or of all that can be captured if `amount` is left
     * out. Fails with `PaymentNotFound`, `PaymentClosed` (authorize another payment), `AmountExceeded` (capture at most
     * what is `available`), `IdReused` (use another `captureId`), `InvalidTransition` (confirm the order first).
     */
    readonly capturePayment: OrderCommand<
      "CapturePayment",
      [paymentId: PaymentId, request: Request.CapturePaymentRequest]
    >
    /**
     * Releases the uncaptured rest of a payment; stores nothing if the payment was voided before. Fails with
     * `PaymentNotFound`, or with `PaymentClosed` if all of the payment is captured (refund it instead).
     */
    readonly voidPayment: OrderCommand<"VoidPayment", [paymentId: PaymentId]>
    /**
     * Records a refund, without `amount` of all that was captured and not refunded; also of a cancelled order. One with
     * `goodwill` is a gift, which is not asked for again before the rest is shipped. Fails with `PaymentNotFound`, `PaymentClosed` (it is voided and has nothing to give back), `AmountExceeded` (refund at
     * most what is `available`), `IdReused` (use another `refundId`).
     */
    readonly refundPayment: OrderCommand<"RefundPayment", [paymentId: PaymentId, request: Request.RefundPaymentRequest]>

    /**
     * Reads the order as the view has it, or from the log while the view does not have it yet: `freshness` says how far
     * the view is. Fails with `OrderNotFound` only if there is no such order: check the id.
     */
    get(orderId: OrderId, options?: Query.QueryOptions): Query.FromView<{ readonly order: OrderView }, OrderNotFound>
    /** Lists a page of orders. `InvalidCursor`: the cursor is of another filter or sort; begin again without one. */
    list(request?: Query.OrderListRequest, options?: Query.QueryOptions): Query.List<"orders", OrderView>
    /** Counts the orders in each status, of one customer or of all. */
    counts(
      filter?: Pick<OrderFilter, "customerId">,
      options?: Query.QueryOptions
    ): Query.FromView<{ readonly counts: OrderCounts }>
    /**
     * Reads the order's events from version `after + 1` (default 1) on, straight from the log: `limit` 1..500 of them,
     * 100 by default; none if the order has no more. Fails with `OrderNotFound` (check the id), `InvalidToken` (drop the
     * token, which is of another log or of history that was lost).
     */
    history(
      orderId: OrderId,
      options?: Query.HistoryOptions
    ): Effect.Effect<ReadonlyArray<PublishedEvent>, OrderNotFound | InvalidToken | ReadError>
    /**
     * Reads the order as it was after its first `version` events, straight from the log. Fails with `OrderNotFound`
     * (check the id), `VersionNotFound` (ask for a version between 1 and the current one).
     */
    at(
      orderId: OrderId,
      version: number,
      options?: TokenOption
    ): Effect.Effect<OrderView, OrderNotFound | VersionNotFound | QueryError>

    /**
     * Subscribes to events: whatever is stored after this effect is done, or after position `after`, is in the stream
     * once, in order. A stream that failed can be taken up again after the position of its last push. Fails with
     * `InvalidPosition` (begin without a position, or after one that this log gave).
     */
    subscribe(options?: SubscribeOptions): Effect.Effect<Pushes, SubscribeError, Scope.Scope>
    /**
     * Gives only the events of a subscription that begins when the stream is run. Take `subscribe` to know which events
     * are ahead of the order view, and to lose none before the first pull.
     */
    events(options?: SubscribeOptions): Stream.Stream<PublishedEvent, SubscribeError>

    /** Saves a product, new or not, as a whole; it can be ordered from now on. Saving the same again stores nothing. */
    saveProduct(productId: ProductId, product: SaveProductRequest, options?: CommandOptions): CatalogCommand
    /**
     * Withdraws a product, which can't be ordered until it is saved again. Fails with `ProductNotFound` if the product
     * was never saved.
     */
    withdrawProduct(productId: ProductId, options?: CommandOptions): CatalogCommand<ProductNotFound>
    /** Reads the newest state of a product, withdrawn or not. `ProductNotFound`: it was never saved. */
    product(productId: ProductId, options?: TokenOption): Query.CatalogRead<ProductView, ProductNotFound>
    /** Lists a page of products by id, as the catalog view has them. `InvalidCursor`: begin again without a cursor. */
    products(request?: Query.CatalogListRequest, options?: Query.QueryOptions): Query.List<"products", ProductView>
    /** Saves a customer, new or not, as a whole; they can order from now on. Saving the same again stores nothing. */
    saveCustomer(customerId: CustomerId, customer: SaveCustomerRequest, options?: CommandOptions): CatalogCommand
    /** Withdraws a customer, who can't order until saved again. `CustomerNotFound`: it was never saved. */
    withdrawCustomer(customerId: CustomerId, options?: CommandOptions): CatalogCommand<CustomerNotFound>
    /** Reads the newest state of a customer, withdrawn or not. `CustomerNotFound`: it was never saved. */
    customer(customerId: CustomerId, options?: TokenOption): Query.CatalogRead<CustomerView, CustomerNotFound>
    /** Lists a page of customers by id, as the catalog view has them. `InvalidCursor`: begin again without a cursor. */
    customers(request?: Query.CatalogListRequest, options?: Query.QueryOptions): Query.List<"customers", CustomerView>
    /**
     * Waits until the lists of products and customers hold the write of `token`: for `wait`, 2 s by default, 30 s at
     * most; then fails with `ProjectionBehind` (ask again). Streams that the view has set aside are not waited for,
     * unless `productId` or `customerId` asks for them: then it fails as `parked` (an operator has to act).
     */
    awaitCatalog(token: string, options?: Query.CatalogWaitOptions): Effect.Effect<void, QueryError>
  }
>()("ordinal/orders/Orders") {}
