/**
 * Runs `Orders` in this process: prices a request, fills in the ids that it leaves out, and submits the command to the
 * order's actor. Queries, subscriptions and the catalog are in OrderReads, OrderFeed and CatalogLocal.
 */
import { Effect, Layer, Result } from "effect"
import { Catalog, type QuoteOptions, UnknownProduct } from "../catalog/Catalog.ts"
import { type Made, priceLine, priceOrder } from "../catalog/PricedCommand.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import type { Aggregate } from "../aggregate/Aggregate.ts"
import { fingerprint } from "../aggregate/idempotency/CommandIdentity.ts"
import * as OrderAggregate from "../order/OrderAggregate.ts"
import type { Command, CommandName } from "../order/OrderCommand.ts"
import type { OrderEvent } from "../order/OrderEvent.ts"
import { LineId, OrderId, PaymentId, ReturnId, ShipmentId } from "../order/OrderId.ts"
import { OrderPolicies } from "../order/OrderPolicies.ts"
import { type PlaceOrderRequest, placeOrderContent } from "../order/OrderRequest.ts"
import type { OrderState } from "../order/OrderState.ts"
import type { RejectionOf } from "../order/rules/RejectionsOf.ts"
import { paymentStatus, status } from "../order/OrderStatus.ts"
import * as CheckedOrders from "./CheckedOrders.ts"
import { Orders } from "./Orders.ts"
import type { CommandError, PlaceError } from "./OrdersError.ts"
import { readBack, type Receipt } from "./Receipt.ts"
import { type CommandOptions, Commands, type Submitted } from "../aggregate/idempotency/Commands.ts"
import { Guarded } from "../aggregate/idempotency/Guarded.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import * as CatalogLocal from "./CatalogLocal.ts"
import * as OrderReads from "./OrderReads.ts"
import * as OrderFeed from "./OrderFeed.ts"
import * as Subscription from "./Subscription.ts"
import * as Span from "../telemetry/Span.ts"
import * as UuidV7 from "../eventstore/UuidV7.ts"

const newId = () => UuidV7.make()

/** Makes a short and readable id for a line without one, unless the caller took that very id for another line. */
const freeLineId = ({ lines }: PlaceOrderRequest, index: number): LineId => {
  const lineId = LineId.make(`line_${index + 1}`)
  return lines.some((line) => line.lineId === lineId) ? LineId.make(newId()) : lineId
}

/** Makes a command from what the catalog remembers; if it is run again, that was out of date, so it takes a fresh quote. */
const freshIfAgain = <A, E>(make: (options: QuoteOptions) => Effect.Effect<A, E>): Effect.Effect<A, E> => {
  let fresh = false
  return Effect.suspend(() => {
    const made = make({ fresh })
    fresh = true
    return made
  })
}

export const make = Effect.gen(function* () {
  const catalog = yield* Catalog
  const log = yield* EventStore
  const policies = yield* OrderPolicies
  const orders = OrderAggregate.make(policies)
  const { logId } = yield* log.head
  const { submit } = yield* Commands
  const subscribe = yield* OrderFeed.make

  const receiptOf = (state: OrderState, { id }: { readonly id: string }) => {
    if (state._tag === "Absent") throw new Error(`Order ${id} accepted a command and is still absent.`)
    return { orderId: state.id, status: status(state), paymentStatus: paymentStatus(state) }
  }

  const toReceipt = <Body>({ eventId, position, receipt, replayed }: Submitted<Body>) => {
    const known = eventId === undefined ? ConsistencyToken.eventIdAt(log, position) : Effect.succeed(eventId)
    return Effect.map(known, (eventId) => {
      return { ...receipt, position, token: ConsistencyToken.format(logId, position, eventId), replayed }
    })
  }

  const submitOrder = <Name extends CommandName, E>(
    scope: readonly [Name, ...ReadonlyArray<string>],
    request: unknown,
    options: CommandOptions | undefined,
    command: Effect.Effect<Command<Name> | Guarded<Command<Name>>, E>
  ): Effect.Effect<Receipt, E | CommandError<Name>> => {
    // The decider has one type of rejections for all commands, but each command meets only those of `rejectionsOf`.
    const aggregate = orders as Aggregate<OrderState, Command<Name>, OrderEvent, RejectionOf<Name>>
    return Effect.flatMap(
      submit({ aggregate, idOf: ({ orderId }) => orderId, scope, request, options, command, receipt: receiptOf }),
      toReceipt
    )
  }

  /** Submits a command that needs nothing from the catalog. `path` holds the ids in its path behind the order's. */
  const send = <Name extends CommandName>(
    command: Command<Name>,
    request: unknown,
    options: CommandOptions | undefined,
    ...path: ReadonlyArray<string>
  ) => submitOrder<Name, never>([command._tag, command.orderId, ...path], request, options, Effect.succeed(command))

  /** Prices an order; what the catalog merely remembers refuses nothing, so a fresh quote is asked for before that. */
  const price = (
    request: PlaceOrderRequest,
    made: Made,
    options: QuoteOptions
  ): Effect.Effect<Guarded<Command<"PlaceOrder">>, PlaceError> =>
    catalog.quote(request, options).pipe(
      Effect.catchTag("UnknownProduct", ({ productIds }) => Effect.fail(UnknownProduct.of(productIds, request.lines))),
      Effect.flatMap((quote) => {
        const priced = priceOrder(request, quote, made)
        const { guards = [] } = quote
        if (Result.isSuccess(priced)) return Effect.succeed(new Guarded({ command: priced.success, guards }))
        const isRefused = guards.length === 0 || options.fresh === true
        return isRefused ? Effect.fail(priced.failure) : price(request, made, { fresh: true })
      })
    )

  const place = (request: PlaceOrderRequest, options?: CommandOptions) =>
    Effect.suspend(() => {
      const made = {
        orderId: request.orderId ?? OrderId.make(`ord_${newId()}`),
        lineId: (index: number) => freeLineId(request, index),
        request: fingerprint(placeOrderContent(request, policies))
      }
      const command = freshIfAgain((quote) => price(request, made, quote))
      // An id that is made here is unknown to everybody else, so the log need not be read for it.
      return submitOrder(["PlaceOrder"], request, { ...options, fresh: request.orderId === undefined }, command)
    }).pipe(Span.within("Orders.place"))

  const addLine: Orders["Service"]["addLine"] = (orderId, request, options) =>
    Effect.suspend(() => {
      const lineId = request.lineId ?? LineId.make(newId())
      const command = freshIfAgain((quote) =>
        Effect.map(catalog.product(request.productId, quote), ({ guards = [], ...product }) => {
          const line = priceLine(request, product, lineId)
          const command: Command<"AddLine"> = { _tag: "AddLine", orderId, line, currency: product.currency }
          return new Guarded({ command, guards })
        })
      )
      return submitOrder(["AddLine", orderId], request, options, command)
    }).pipe(Span.within("Orders.addLine"))

  const reads = yield* OrderReads.make

  const placeAndWait: Orders["Service"]["placeAndWait"] = Effect.fnUntraced(function* (request, options) {
    const receipt = yield* place(request, options)
    const seen = yield* readBack(reads.get, receipt, ConsistencyToken.boundedWait(options?.wait))
    const { orderId, replayed, token } = receipt
    if (seen === undefined) return { orderId, token, replayed, receipt }
    return { orderId, token: seen.token, replayed, order: seen.order }
  })

  const catalogMethods = yield* CatalogLocal.make(submit, toReceipt)

  const service: Orders["Service"] = {
    place,
    addLine,
    changeLineQuantity: (orderId, lineId, request, options) =>
      send({ _tag: "ChangeLineQuantity", orderId, lineId, ...request }, request, options, lineId),
    removeLine: (orderId, lineId, options) => send({ _tag: "RemoveLine", orderId, lineId }, null, options, lineId),
    changeShippingAddress: (orderId, address, options) =>
      send({ _tag: "ChangeShippingAddress", orderId, address }, address, options),
    confirm: (orderId, options) => send({ _tag: "ConfirmOrder", orderId }, null, options),
    cancel: (orderId, request, options) => send({ _tag: "CancelOrder", orderId, ...request }, request, options),
    cancelItems: (orderId, request, options) => send({ _tag: "CancelItems", orderId, ...request }, request, options),
    ship: (orderId, request, options) => {
      const shipmentId = request.shipmentId ?? ShipmentId.make(newId())
      return send({ _tag: "ShipItems", orderId, ...request, shipmentId }, request, options)
    },
    deliver: (orderId, shipmentId, options) =>
      send({ _tag: "DeliverShipment", orderId, shipmentId }, null, options, shipmentId),
    returnItems: (orderId, request, options) => {
      const returnId = request.returnId ?? ReturnId.make(newId())
      return send({ _tag: "ReturnItems", orderId, ...request, returnId }, request, options)
    },
    authorizePayment: (orderId, request, options) => {
      const paymentId = request.paymentId ?? PaymentId.make(newId())
      return send({ _tag: "AuthorizePayment", orderId, ...request, paymentId }, request, options)
    },
    capturePayment: (orderId, paymentId, request, options) =>
      send({ _tag: "CapturePayment", orderId, paymentId, ...request }, request, options, paymentId),
    voidPayment: (orderId, paymentId, options) =>
      send({ _tag: "VoidPayment", orderId, paymentId }, null, options, paymentId),
    refundPayment: (orderId, paymentId, request, options) =>
      send({ _tag: "RefundPayment", orderId, paymentId, ...request }, request, options, paymentId),
    placeAndWait,
    ...reads,
    subscribe,
    events: Subscription.events(subscribe),
    ...catalogMethods
  }
  return CheckedOrders.make(service)
})

/** Provides `Orders` in this process, on the event store, the views and the catalog that are provided. */
export const layer = Layer.effect(Orders, make)
