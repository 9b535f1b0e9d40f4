/**
 * Limits `Orders` to what is one customer's. Another's order is not found, by the same way and with the same answer as one
 * that does not exist: the first event of the order says whose it is, and both cost this one read of the log, whatever
 * caches and views know. What only operators may do is forbidden.
 */
import { Effect, Stream } from "effect"
import type { PublishedEvent } from "../../aggregate/PublishedEvent.ts"
import { CustomerNotFound } from "../../catalog/Customer.ts"
import { Forbidden } from "../../identity/IdentityErrors.ts"
import type { CustomerId, OrderId } from "../../order/OrderId.ts"
import { OrderExists, OrderNotFound } from "../../order/OrderRejection.ts"
import type { PlaceOrderRequest } from "../../order/OrderRequest.ts"
import type { Orders } from "../../orders/Orders.ts"
import type { Push } from "../../orders/Subscription.ts"
import type { Caller } from "../handlers/Caller.ts"

type Service = Orders["Service"]

type OrForbidden<Method> = Method extends (...args: infer Arguments) => Effect.Effect<infer A, infer E, infer R>
  ? (...args: Arguments) => Effect.Effect<A, E | Forbidden, R>
  : Method

/** The service as a caller has it, who may not do all that it can. */
export type CallersOrders = { readonly [Name in Exclude<keyof Service, "events">]: OrForbidden<Service[Name]> }

const forbidden = Effect.fail(new Forbidden({ needs: "the role operator" }))
const forbid = () => forbidden
const reserved = (member: string) => Effect.fail(new Forbidden({ needs: `the role operator because of ${member}` }))
const another = Effect.fail(new Forbidden({ needs: "to be that customer or an operator" }))

/** So many orders of known owners are remembered; of whom an order is never changes. */
const most = 100_000

const ownersOf = new WeakMap<Service, Map<OrderId, string>>()

const ownerOf = (first: PublishedEvent | undefined): unknown => {
  const data = first?.data
  return typeof data === "object" && data !== null && "customerId" in data ? data.customerId : undefined
}

/** Customers are told only of themselves that they acted on their orders. All others share one copy without the actor. */
const unnamed = new WeakMap<PublishedEvent, PublishedEvent>()

const withoutActor = (event: PublishedEvent): PublishedEvent => {
  const known = unnamed.get(event)
  if (known !== undefined) return known
  const { actor: _, ...rest } = event
  unnamed.set(event, rest)
  return rest
}

const make = (orders: Service, owner: CustomerId, actor: string): CallersOrders => {
  const owners = ownersOf.get(orders) ?? new Map<OrderId, string>()
  ownersOf.set(orders, owners)

  const shown = (event: PublishedEvent): PublishedEvent =>
    event.actor === undefined || event.actor === actor ? event : withoutActor(event)

  const shownPush = (push: Push): Push => (push._tag === "Event" ? { ...push, event: shown(push.event) } : push)

  /** Nothing is remembered of what is another's or does not exist, so that both are asked for in the same way. */
  const isOwn = (orderId: OrderId) => {
    if (owners.get(orderId) === owner) return Effect.succeed(true)
    return orders.history(orderId, { limit: 1 }).pipe(
      // No token was given.
      Effect.catchTag("InvalidToken", Effect.die),
      Effect.map(([first]) => {
        if (ownerOf(first) !== owner) return false
        const [oldest] = owners.size < most ? [] : owners.keys()
        if (oldest !== undefined) owners.delete(oldest)
        owners.set(orderId, owner)
        return true
      })
    )
  }

  const owned =
    <Rest extends ReadonlyArray<unknown>, A, E>(method: (orderId: OrderId, ...rest: Rest) => Effect.Effect<A, E>) =>
    (orderId: OrderId, ...rest: Rest) =>
      Effect.flatMap(isOwn(orderId), (own): Effect.Effect<A, E | OrderNotFound> =>
        own ? method(orderId, ...rest) : Effect.fail(new OrderNotFound({ orderId }))
      )

  /** A filter is the caller's own, which also binds the cursors of lists to the caller. */
  const filtered = <Filter extends { readonly customerId?: string }, A, E, R>(
    filter: Filter,
    ask: (filter: Filter & { readonly customerId: CustomerId }) => Effect.Effect<A, E, R>
  ): Effect.Effect<A, E | Forbidden, R> => {
    const { customerId = owner } = filter
    return customerId === owner ? ask({ ...filter, customerId: owner }) : another
  }

  const reservedIn = ({ customerId, lines, shippingCost }: PlaceOrderRequest): Effect.Effect<void, Forbidden> => {
    if (customerId !== owner) return another
    if (shippingCost !== undefined) return reserved("shippingCost")
    return lines.some(({ unitDiscount }) => unitDiscount !== undefined) ? reserved("unitDiscount") : Effect.void
  }

  /** An id that is taken by another's order is all that is told of that order, whatever else stands in the way. */
  const placing =
    <Rest extends ReadonlyArray<unknown>, A, E>(
      place: (request: PlaceOrderRequest, ...rest: Rest) => Effect.Effect<A, E>
    ) =>
    (request: PlaceOrderRequest, ...rest: Rest) =>
      Effect.andThen(reservedIn(request), place(request, ...rest)).pipe(
        Effect.catch((error): Effect.Effect<never, E | Forbidden | OrderExists> => {
          const { orderId } = request
          if (orderId === undefined || error instanceof Forbidden) return Effect.fail(error)
          return Effect.matchEffect(isOwn(orderId), {
            onFailure: () => Effect.fail(error),
            onSuccess: (own) => Effect.fail(own ? error : new OrderExists({ orderId }))
          })
        })
      )

  const subscribe: CallersOrders["subscribe"] = (options = {}) =>
    options.categories?.some((category) => category !== "order") === true
      ? forbidden
      : filtered(options, (own) => orders.subscribe(own)).pipe(Effect.map(Stream.map(shownPush)))

  return {
    place: placing(orders.place),
    placeAndWait: placing(orders.placeAndWait),
    addLine: (orderId, request, options) =>
      request.unitDiscount === undefined ? owned(orders.addLine)(orderId, request, options) : reserved("unitDiscount"),
    changeLineQuantity: owned(orders.changeLineQuantity),
    removeLine: owned(orders.removeLine),
    changeShippingAddress: owned(orders.changeShippingAddress),
    confirm: owned(orders.confirm),
    cancel: owned(orders.cancel),
    returnItems: owned(orders.returnItems),
    cancelItems: forbid,
    ship: forbid,
    deliver: forbid,
    authorizePayment: forbid,
    capturePayment: forbid,
    voidPayment: forbid,
    refundPayment: forbid,
    get: owned(orders.get),
    list: (request = {}, options) =>
      filtered(request.filter ?? {}, (filter) => orders.list({ ...request, filter }, options)),
    counts: (filter = {}, options) => filtered(filter, (own) => orders.counts(own, options)),
    history: (orderId, options) => Effect.map(owned(orders.history)(orderId, options), (events) => events.map(shown)),
    at: owned(orders.at),
    subscribe,
    product: orders.product,
    products: orders.products,
    customer: (customerId, options) =>
      customerId === owner ? orders.customer(customerId, options) : Effect.fail(new CustomerNotFound({ customerId })),
    customers: forbid,
    saveProduct: forbid,
    withdrawProduct: forbid,
    saveCustomer: forbid,
    withdrawCustomer: forbid,
    awaitCatalog: orders.awaitCatalog
  }
}

const made = new WeakMap<Caller, { readonly orders: Service; readonly own: CallersOrders }>()

/** Gives the service as this caller may use it: all of it, or that of a customer. */
export const of = (orders: Service, caller: Caller): CallersOrders => {
  const { owner } = caller
  if (owner === undefined) return orders
  const { actor = `customer:${owner}` } = caller
  const known = made.get(caller)
  if (known?.orders === orders) return known.own
  const own = make(orders, owner, actor)
  made.set(caller, { orders, own })
  return own
}
