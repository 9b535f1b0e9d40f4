import { Duration, Effect, Exit } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import type { CommandReceipt } from "../../orders/Receipt.ts"
import type { CustomerView, ProductView } from "../../views/catalog/CatalogView.ts"
import type { CustomerId, ProductId } from "../../order/OrderId.ts"
import { Orders } from "../../orders/Orders.ts"
import { Api } from "../api/Api.ts"
import { commandOptions } from "./CommandContext.ts"
import * as EntityTag from "../wire/EntityTag.ts"
import * as PageReply from "./PageReply.ts"
import * as Preference from "../wire/Preference.ts"
import * as Reply from "./Reply.ts"

type CatalogId = { readonly productId: ProductId } | { readonly customerId: CustomerId }
type Entity = (ProductView | CustomerView) & { readonly token: string }

const entity = <Body extends Entity>({ token, ...body }: Body, ifNoneMatch: string | undefined) => {
  const headers = { etag: EntityTag.format(body.version), "consistency-token": token }
  return EntityTag.isCurrent(ifNoneMatch, body.version)
    ? HttpApiSchema.withHeaders({ body: undefined, headers })
    : HttpApiSchema.withHeaders({ body, headers })
}

/** The receipt, or the product or customer if the caller would wait for the lists to have it and they do in time. */
const reply = <Id extends CatalogId, Body extends Entity, E>(
  orders: Orders["Service"],
  stored: CommandReceipt,
  id: Id,
  path: string,
  prefer: string | undefined,
  read: Effect.Effect<Body, E>
) => {
  const receipt = HttpApiSchema.withHeaders({
    body: { ...id, ...Reply.catalogReceipt(stored) },
    headers: Reply.catalogHeaders(stored, path)
  })
  const wait = Preference.wait(prefer)
  if (wait === undefined) return Effect.succeed(receipt)
  const seen = orders.awaitCatalog(stored.token, { ...id, wait: Duration.seconds(wait) })
  return Effect.map(Effect.exit(Effect.andThen(seen, read)), (exit) => {
    if (Exit.isFailure(exit)) return receipt
    const { token, ...body } = exit.value
    const headers = {
      ...Reply.catalogHeaders(stored, path, { token, version: body.version }),
      "preference-applied": Preference.applied(wait)
    }
    return HttpApiSchema.withHeaders({ body, headers })
  })
}

export const layer = HttpApiBuilder.group(
  Api,
  "catalog",
  Effect.fnUntraced(function* (handlers) {
    const orders = yield* Orders
    const product = (stored: CommandReceipt, productId: ProductId, prefer: string | undefined) =>
      reply(orders, stored, { productId }, `/products/${productId}`, prefer, orders.product(productId, stored))
    const customer = (stored: CommandReceipt, customerId: CustomerId, prefer: string | undefined) =>
      reply(orders, stored, { customerId }, `/customers/${customerId}`, prefer, orders.customer(customerId, stored))
    return handlers.handleAll({
      product: ({ headers, params }) =>
        Effect.map(orders.product(params.id, Reply.queryOptions(headers).options), (product) =>
          entity(product, headers["if-none-match"])
        ),
      products: Effect.fnUntraced(function* ({ headers, query, request }) {
        const { applied, options } = Reply.queryOptions(headers)
        const { products, ...page } = yield* orders.products(query, options)
        return PageReply.make(products, page, request, applied)
      }),
      saveProduct: Effect.fnUntraced(function* ({ headers, params: { id }, payload }) {
        const stored = yield* orders.saveProduct(id, payload, yield* commandOptions(headers))
        return yield* product(stored, id, headers.prefer)
      }),
      withdrawProduct: Effect.fnUntraced(function* ({ headers, params: { id } }) {
        const stored = yield* orders.withdrawProduct(id, yield* commandOptions(headers))
        return yield* product(stored, id, headers.prefer)
      }),
      customer: ({ headers, params }) =>
        Effect.map(orders.customer(params.id, Reply.queryOptions(headers).options), (customer) =>
          entity(customer, headers["if-none-match"])
        ),
      customers: Effect.fnUntraced(function* ({ headers, query, request }) {
        const { applied, options } = Reply.queryOptions(headers)
        const { customers, ...page } = yield* orders.customers(query, options)
        return PageReply.make(customers, page, request, applied)
      }),
      saveCustomer: Effect.fnUntraced(function* ({ headers, params: { id }, payload }) {
        const stored = yield* orders.saveCustomer(id, payload, yield* commandOptions(headers))
        return yield* customer(stored, id, headers.prefer)
      }),
      withdrawCustomer: Effect.fnUntraced(function* ({ headers, params: { id } }) {
        const stored = yield* orders.withdrawCustomer(id, yield* commandOptions(headers))
        return yield* customer(stored, id, headers.prefer)
      })
    })
  })
)
