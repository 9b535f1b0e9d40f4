/**
 * Saves, withdraws and reads the products and customers of `Orders` in this process, each through its actor; lists come
 * from the catalog view.
 */
import { Effect } from "effect"
import type { Aggregate } from "../aggregate/Aggregate.ts"
import { Aggregates } from "../aggregate/Aggregates.ts"
import type { CommandOptions, Commands, Submitted } from "../aggregate/idempotency/Commands.ts"
import { CustomerAggregate, type CustomerCommand, CustomerNotFound } from "../catalog/Customer.ts"
import { ProductAggregate, type ProductCommand, ProductNotFound } from "../catalog/Product.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import type { CustomerId, ProductId } from "../order/OrderId.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import * as TokenWait from "../projection/consistency/TokenWait.ts"
import type { CatalogCategory } from "../views/catalog/CatalogEntry.ts"
import { CatalogQueries } from "../views/catalog/CatalogQueries.ts"
import { customerView, productView } from "../views/catalog/CatalogView.ts"
import type { Orders } from "./Orders.ts"
import { type CatalogListRequest, clampListLimit, type QueryOptions } from "./QueryOptions.ts"
import type { CommandReceipt } from "./Receipt.ts"
import * as Span from "../telemetry/Span.ts"

type CatalogMethods = Pick<
  Orders["Service"],
  | "saveProduct"
  | "withdrawProduct"
  | "product"
  | "products"
  | "saveCustomer"
  | "withdrawCustomer"
  | "customer"
  | "customers"
  | "awaitCatalog"
>

export const make = Effect.fnUntraced(function* (
  submit: Commands["Service"]["submit"],
  toReceipt: (submitted: Submitted<object>) => Effect.Effect<CommandReceipt, DatabaseUnavailable>
) {
  const aggregates = yield* Aggregates
  const queries = yield* CatalogQueries
  const log = yield* EventStore

  const send =
    <State, Command extends { readonly _tag: string }, Event extends { readonly _tag: string }, Rejection>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      idOf: (command: Command) => string
    ) =>
    (command: Command, request: unknown, options: CommandOptions | undefined) =>
      Effect.flatMap(
        submit({
          aggregate,
          idOf,
          scope: [command._tag, idOf(command)],
          request,
          options,
          command: Effect.succeed(command),
          receipt: () => ({})
        }),
        toReceipt
      )
  const sendProduct = send(ProductAggregate, ({ productId }: ProductCommand) => productId)
  const sendCustomer = send(CustomerAggregate, ({ customerId }: CustomerCommand) => customerId)

  const { logId } = yield* log.head
  const reach = TokenWait.awaitIn(log, logId, queries)

  /** Reads the newest state; the answered token is never older than the one that was given. */
  const read = Effect.fnUntraced(function* <State, Command, Event, Rejection>(
    aggregate: Aggregate<State, Command, Event, Rejection>,
    id: string,
    { token }: QueryOptions = {}
  ) {
    const { eventId, position, state } = yield* aggregates.read(aggregate, id)
    const own = ConsistencyToken.format(logId, position, eventId)
    const required = token === undefined ? undefined : yield* Effect.fromResult(ConsistencyToken.parse(token))
    if (required !== undefined) yield* ConsistencyToken.verify(log, logId, required)
    // Nothing is newer than what the actor has, so it is as fresh as the log was at the token's position.
    const isNewer = token !== undefined && required !== undefined && required.position > position
    const newest = isNewer ? { position: required.position, token } : { position, token: own }
    return { state, freshness: { ...newest, behind: 0, lag: 0, parked: 0 }, token: newest.token }
  })

  const list = Effect.fnUntraced(function* <Category extends CatalogCategory>(
    category: Category,
    { cursor, limit, withdrawn }: CatalogListRequest = {},
    { token, wait }: QueryOptions = {}
  ) {
    const required = token === undefined ? undefined : yield* reach(token, wait)
    const page = yield* queries.list(
      {
        category,
        filter: withdrawn === undefined ? {} : { withdrawn },
        limit: clampListLimit(limit),
        ...(cursor === undefined ? {} : { cursor })
      },
      required
    )
    return { ...page, token: page.freshness.token }
  })

  /**
   * Fails with `ProjectionBehind` if the view has set this product or customer aside at or before position `required`.
   */
  const notParked = Effect.fnUntraced(function* (category: CatalogCategory, id: string, required: bigint) {
    const parkedAt = yield* queries.parkedAt(category, id)
    if (parkedAt !== undefined && parkedAt <= required)
      return yield* ConsistencyToken.ProjectionBehind.parked(required, parkedAt)
  })

  const methods: CatalogMethods = {
    // A save is never rejected: the product or customer need not exist.
    saveProduct: (productId, product, options) =>
      sendProduct({ _tag: "SaveProduct", productId, ...product }, product, options).pipe(
        Effect.catchTag("ProductNotFound", Effect.die)
      ),
    withdrawProduct: (productId, options) => sendProduct({ _tag: "WithdrawProduct", productId }, null, options),
    product: Span.fn("Orders.product")(function* (productId, options) {
      const { state, ...fresh } = yield* read(ProductAggregate, productId, options)
      if (state._tag === "Absent") return yield* new ProductNotFound({ productId })
      return { ...productView(productId, state), ...fresh }
    }),
    products: Span.fn("Orders.products")(function* (request, options) {
      const { items, ...page } = yield* list("product", request, options)
      return { ...page, products: items.map(({ id, state }) => productView(id as ProductId, state)) }
    }),
    saveCustomer: (customerId, customer, options) =>
      sendCustomer({ _tag: "SaveCustomer", customerId, ...customer }, customer, options).pipe(
        Effect.catchTag("CustomerNotFound", Effect.die)
      ),
    withdrawCustomer: (customerId, options) => sendCustomer({ _tag: "WithdrawCustomer", customerId }, null, options),
    customer: Span.fn("Orders.customer")(function* (customerId, options) {
      const { state, ...fresh } = yield* read(CustomerAggregate, customerId, options)
      if (state._tag === "Absent") return yield* new CustomerNotFound({ customerId })
      return { ...customerView(customerId, state), ...fresh }
    }),
    customers: Span.fn("Orders.customers")(function* (request, options) {
      const { items, ...page } = yield* list("customer", request, options)
      return { ...page, customers: items.map(({ id, state }) => customerView(id as CustomerId, state)) }
    }),
    awaitCatalog: Span.fn("Orders.awaitCatalog")(function* (token, { customerId, productId, wait } = {}) {
      const reached = yield* reach(token, wait)
      yield* ConsistencyToken.verify(log, logId, reached)
      const required = reached.position
      if (productId !== undefined) yield* notParked("product", productId, required)
      if (customerId !== undefined) yield* notParked("customer", customerId, required)
    })
  }
  return methods
})
