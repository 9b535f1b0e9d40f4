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
import { customerView, productView } from "../views/catalog/CatalogView.ts"
import { CatalogViewProjection } from "../views/catalog/CatalogViewProjection.ts"
import type { Orders } from "./Orders.ts"
import type { CatalogListRequest, QueryOptions } from "./QueryOptions.ts"
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
  const rows = yield* CatalogViewProjection.queries
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

  const list = (
    category: "product" | "customer",
    { withdrawn, ...request }: CatalogListRequest = {},
    options?: QueryOptions
  ) =>
    rows
      .list({ ...request, ...options, category, filter: withdrawn === undefined ? {} : { withdrawn } })
      .pipe(Effect.catchTag("InvalidQuery", Effect.die))

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
      const { rows, ...page } = yield* list("product", request, options)
      const products = rows.flatMap(({ id, row, version }) =>
        row._tag === "Product" ? [productView(id as ProductId, { ...row, version })] : []
      )
      return { ...page, products }
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
      const { rows, ...page } = yield* list("customer", request, options)
      const customers = rows.flatMap(({ id, row, version }) =>
        row._tag === "Customer" ? [customerView(id as CustomerId, { ...row, version })] : []
      )
      return { ...page, customers }
    }),
    awaitCatalog: Span.fn("Orders.awaitCatalog")(function* (token, { customerId, productId, ...options } = {}) {
      const asked = [
        ...(productId === undefined ? [] : [{ category: "product", id: productId } as const]),
        ...(customerId === undefined ? [] : [{ category: "customer", id: customerId } as const])
      ]
      for (const one of asked.length === 0 ? [{ category: "product" } as const] : asked) {
        yield* rows.awaitToken(token, { ...options, ...one }).pipe(Effect.catchTag("InvalidQuery", Effect.die))
      }
    })
  }
  return methods
})
