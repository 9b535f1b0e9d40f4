/** Answers commands on products and customers, reads of one of them, and lists. */
import { Duration, Effect, Exit } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import type { CustomerId, ProductId } from "../../order/OrderId.ts"
import type { CommandOptions } from "../../aggregate/idempotency/Commands.ts"
import { Orders } from "../../orders/Orders.ts"
import type { QueryResult } from "../../orders/QueryOptions.ts"
import type { CommandReceipt } from "../../orders/Receipt.ts"
import type { CustomerView, ProductView } from "../../views/catalog/CatalogView.ts"
import { Api } from "../api/Api.ts"
import type { CommandHeaders } from "../api/HttpHeaders.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import * as OwnOrders from "../guard/OwnOrders.ts"
import { Caller } from "./Caller.ts"
import * as OrderLinks from "./OrderLinks.ts"
import * as Reply from "./Reply.ts"
import { commandOptions, queryOptions } from "./RequestOptions.ts"

type CatalogId = { readonly productId: ProductId } | { readonly customerId: CustomerId }
type Entity = (ProductView | CustomerView) & QueryResult

const ofEntity = <Body extends Entity>({ freshness, token, ...body }: Body, ifNoneMatch: string | undefined) => {
  const headers = { etag: HeaderValue.entityTag(body.version), ...Reply.freshnessHeaders({ freshness, token }) }
  return HeaderValue.isCurrent(ifNoneMatch, body.version)
    ? HttpApiSchema.withHeaders({ body: undefined, headers })
    : HttpApiSchema.withHeaders({ body, headers })
}

/** A command is about this product or customer. */
interface Target<Id extends CatalogId, Body extends Entity, E> {
  readonly id: Id
  readonly path: string
  readonly read: (receipt: CommandReceipt) => Effect.Effect<Body, E>
}

/**
 * Answers the receipt of a command, or the product or customer if the caller waits for the lists and they have it in
 * time. `Location` is sent where it was created.
 */
const commandOn = (all: Orders["Service"]) =>
  Effect.fnUntraced(function* <Id extends CatalogId, Body extends Entity, E, E2>(
    headers: CommandHeaders,
    { id, path, read }: Target<Id, Body, E>,
    send: (orders: OwnOrders.CallersOrders, options: CommandOptions) => Effect.Effect<CommandReceipt, E2>
  ) {
    const receipt = yield* send(OwnOrders.of(all, yield* Caller), yield* commandOptions(headers))
    const { commandId, events, position, version } = receipt
    const root = yield* OrderLinks.root
    const headersOf = (current: { readonly version: number; readonly token: string }) => ({
      etag: HeaderValue.entityTag(current.version),
      "consistency-token": current.token,
      ...Reply.replayed(receipt),
      ...(version === 1 && events.length > 0 ? { location: `${root}${path}` } : {})
    })
    const wait = HeaderValue.waitOf(headers.prefer)
    if (wait !== undefined) {
      const seen = all.awaitCatalog(receipt.token, { ...id, wait: Duration.seconds(wait) })
      const exit = yield* Effect.exit(Effect.andThen(seen, read(receipt)))
      if (Exit.isSuccess(exit)) {
        const { freshness, token, ...body } = exit.value
        const headers = {
          ...headersOf(exit.value),
          ...Reply.freshnessHeaders({ freshness, token }),
          "preference-applied": HeaderValue.preferWait(wait)
        }
        return HttpApiSchema.withHeaders({ body, headers })
      }
    }
    const body = { ...id, version, position: Number(position), commandId, events }
    return HttpApiSchema.withHeaders({ body, headers: headersOf(receipt) })
  })

export const layer = HttpApiBuilder.group(
  Api,
  "catalog",
  Effect.fnUntraced(function* (handlers) {
    const all = yield* Orders
    const callersOrders = Effect.map(Caller, (caller) => OwnOrders.of(all, caller))
    const run = commandOn(all)
    const product = (productId: ProductId) => ({
      id: { productId },
      path: `/products/${productId}`,
      read: (receipt: CommandReceipt) => all.product(productId, receipt)
    })
    const customer = (customerId: CustomerId) => ({
      id: { customerId },
      path: `/customers/${customerId}`,
      read: (receipt: CommandReceipt) => all.customer(customerId, receipt)
    })
    return handlers.handleAll({
      product: Effect.fnUntraced(function* ({ headers, params }) {
        const orders = yield* callersOrders
        return ofEntity(yield* orders.product(params.id, queryOptions(headers).options), headers["if-none-match"])
      }),
      products: Effect.fnUntraced(function* ({ headers, query, request }) {
        const orders = yield* callersOrders
        const { applied, options } = queryOptions(headers)
        const { products, ...page } = yield* orders.products(query, options)
        return Reply.ofPage(yield* OrderLinks.root, products, page, request, applied)
      }),
      saveProduct: ({ headers, params: { id }, payload }) =>
        run(headers, product(id), (orders, options) => orders.saveProduct(id, payload, options)),
      withdrawProduct: ({ headers, params: { id } }) =>
        run(headers, product(id), (orders, options) => orders.withdrawProduct(id, options)),
      customer: Effect.fnUntraced(function* ({ headers, params }) {
        const orders = yield* callersOrders
        return ofEntity(yield* orders.customer(params.id, queryOptions(headers).options), headers["if-none-match"])
      }),
      customers: Effect.fnUntraced(function* ({ headers, query, request }) {
        const orders = yield* callersOrders
        const { applied, options } = queryOptions(headers)
        const { customers, ...page } = yield* orders.customers(query, options)
        return Reply.ofPage(yield* OrderLinks.root, customers, page, request, applied)
      }),
      saveCustomer: ({ headers, params: { id }, payload }) =>
        run(headers, customer(id), (orders, options) => orders.saveCustomer(id, payload, options)),
      withdrawCustomer: ({ headers, params: { id } }) =>
        run(headers, customer(id), (orders, options) => orders.withdrawCustomer(id, options))
    })
  })
)
