/** Answers commands on products and customers, reads of one of them, and lists. */
import { Duration, Effect, Exit } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import type { CustomerId, ProductId } from "../../order/OrderId.ts"
import { Orders } from "../../orders/Orders.ts"
import type { CommandReceipt } from "../../orders/Receipt.ts"
import type { CustomerView, ProductView } from "../../views/catalog/CatalogView.ts"
import { Api } from "../api/Api.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import * as Reply from "./Reply.ts"
import { commandOptions, queryOptions } from "./RequestOptions.ts"

type CatalogId = { readonly productId: ProductId } | { readonly customerId: CustomerId }
type Entity = (ProductView | CustomerView) & { readonly token: string }

const ofEntity = <Body extends Entity>({ token, ...body }: Body, ifNoneMatch: string | undefined) => {
  const headers = { etag: HeaderValue.entityTag(body.version), "consistency-token": token }
  return HeaderValue.isCurrent(ifNoneMatch, body.version)
    ? HttpApiSchema.withHeaders({ body: undefined, headers })
    : HttpApiSchema.withHeaders({ body, headers })
}

/**
 * Answers the receipt of a command, or the product or customer if the caller waits for the lists and they have it in time.
 * `Location` is sent where it was created.
 */
const ofCommand = Effect.fnUntraced(function* <Id extends CatalogId, Body extends Entity, E>(
  orders: Orders["Service"],
  receipt: CommandReceipt,
  id: Id,
  path: string,
  prefer: string | undefined,
  read: Effect.Effect<Body, E>
) {
  const { commandId, events, position, version } = receipt
  const wait = HeaderValue.waitOf(prefer)
  const headersOf = (current: { readonly version: number; readonly token: string }) => ({
    etag: HeaderValue.entityTag(current.version),
    "consistency-token": current.token,
    ...Reply.replayed(receipt),
    ...(version === 1 && events.length > 0 ? { location: path } : {})
  })
  if (wait !== undefined) {
    const seen = orders.awaitCatalog(receipt.token, { ...id, wait: Duration.seconds(wait) })
    const exit = yield* Effect.exit(Effect.andThen(seen, read))
    if (Exit.isSuccess(exit)) {
      const { token: _, ...body } = exit.value
      const headers = { ...headersOf(exit.value), "preference-applied": HeaderValue.preferWait(wait) }
      return HttpApiSchema.withHeaders({ body, headers })
    }
  }
  return HttpApiSchema.withHeaders({
    body: { ...id, version, position: Number(position), commandId, events },
    headers: headersOf(receipt)
  })
})

export const layer = HttpApiBuilder.group(
  Api,
  "catalog",
  Effect.fnUntraced(function* (handlers) {
    const orders = yield* Orders
    const product = (receipt: CommandReceipt, productId: ProductId, prefer: string | undefined) =>
      ofCommand(orders, receipt, { productId }, `/products/${productId}`, prefer, orders.product(productId, receipt))
    const customer = (receipt: CommandReceipt, customerId: CustomerId, prefer: string | undefined) =>
      ofCommand(
        orders,
        receipt,
        { customerId },
        `/customers/${customerId}`,
        prefer,
        orders.customer(customerId, receipt)
      )
    return handlers.handleAll({
      product: Effect.fnUntraced(function* ({ headers, params }) {
        return ofEntity(yield* orders.product(params.id, queryOptions(headers).options), headers["if-none-match"])
      }),
      products: Effect.fnUntraced(function* ({ headers, query, request }) {
        const { applied, options } = queryOptions(headers)
        const { products, ...page } = yield* orders.products(query, options)
        return Reply.ofPage(products, page, request, applied)
      }),
      saveProduct: Effect.fnUntraced(function* ({ headers, params: { id }, payload }) {
        return yield* product(
          yield* orders.saveProduct(id, payload, yield* commandOptions(headers)),
          id,
          headers.prefer
        )
      }),
      withdrawProduct: Effect.fnUntraced(function* ({ headers, params: { id } }) {
        return yield* product(yield* orders.withdrawProduct(id, yield* commandOptions(headers)), id, headers.prefer)
      }),
      customer: Effect.fnUntraced(function* ({ headers, params }) {
        return ofEntity(yield* orders.customer(params.id, queryOptions(headers).options), headers["if-none-match"])
      }),
      customers: Effect.fnUntraced(function* ({ headers, query, request }) {
        const { applied, options } = queryOptions(headers)
        const { customers, ...page } = yield* orders.customers(query, options)
        return Reply.ofPage(customers, page, request, applied)
      }),
      saveCustomer: Effect.fnUntraced(function* ({ headers, params: { id }, payload }) {
        return yield* customer(
          yield* orders.saveCustomer(id, payload, yield* commandOptions(headers)),
          id,
          headers.prefer
        )
      }),
      withdrawCustomer: Effect.fnUntraced(function* ({ headers, params: { id } }) {
        return yield* customer(yield* orders.withdrawCustomer(id, yield* commandOptions(headers)), id, headers.prefer)
      })
    })
  })
)
