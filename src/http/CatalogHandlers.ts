import { Effect, Exit } from "effect"
import { HttpApiBuilder, HttpApiSchema } from "effect/http-api"
import type { CatalogReceipt, Customer, Product } from "../CatalogService.ts"
import { Orders } from "../Orders.ts"
import { Api } from "./Api.ts"
import { commandOptions } from "./CommandContext.ts"
import * as EntityTag from "./EntityTag.ts"
import * as PageReply from "./PageReply.ts"
import * as Preference from "./Preference.ts"
import * as Reply from "./Reply.ts"
import { served } from "./Served.ts"

const entity = <Body extends Product | Customer>(body: Body, ifNoneMatch: string | undefined) => {
  const headers = { etag: EntityTag.format(body.version) }
  return EntityTag.isCurrent(ifNoneMatch, body.version)
    ? HttpApiSchema.withHeaders({ body: undefined, headers })
    : HttpApiSchema.withHeaders({ body, headers })
}

/** A product or customer is read from its actor, so waiting for it takes no time. If it can't be read: the receipt. */
const reply = <Id extends object, Body extends Product | Customer, E>(
  stored: CatalogReceipt,
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
  return Effect.map(Effect.exit(read), (exit) => {
    if (Exit.isFailure(exit)) return receipt
    const headers = {
      etag: EntityTag.format(exit.value.version),
      "preference-applied": Preference.applied(wait),
      ...Reply.replayed(stored)
    }
    return HttpApiSchema.withHeaders({ body: exit.value, headers })
  })
}

export const layer = HttpApiBuilder.group(
  Api,
  "catalog",
  Effect.fnUntraced(function* (handlers) {
    const orders = yield* Orders
    return handlers.handleAll({
      product: ({ headers, params }) =>
        Effect.map(served(orders.product(params.id)), (product) => entity(product, headers["if-none-match"])),
      products: Effect.fnUntraced(function* ({ headers, query, request }) {
        const { applied, options } = Reply.queryOptions(headers)
        const { products, ...page } = yield* served(orders.products(query, options))
        return PageReply.make(products, page, request, applied)
      }),
      saveProduct: Effect.fnUntraced(function* ({ headers, params: { id }, payload }) {
        const stored = yield* served(orders.saveProduct(id, payload, yield* commandOptions(headers)))
        return yield* reply(stored, { productId: id }, `/products/${id}`, headers.prefer, orders.product(id))
      }),
      withdrawProduct: Effect.fnUntraced(function* ({ headers, params: { id } }) {
        const stored = yield* served(orders.withdrawProduct(id, yield* commandOptions(headers)))
        return yield* reply(stored, { productId: id }, `/products/${id}`, headers.prefer, orders.product(id))
      }),
      customer: ({ headers, params }) =>
        Effect.map(served(orders.customer(params.id)), (customer) => entity(customer, headers["if-none-match"])),
      customers: Effect.fnUntraced(function* ({ headers, query, request }) {
        const { applied, options } = Reply.queryOptions(headers)
        const { customers, ...page } = yield* served(orders.customers(query, options))
        return PageReply.make(customers, page, request, applied)
      }),
      saveCustomer: Effect.fnUntraced(function* ({ headers, params: { id }, payload }) {
        const stored = yield* served(orders.saveCustomer(id, payload, yield* commandOptions(headers)))
        return yield* reply(stored, { customerId: id }, `/customers/${id}`, headers.prefer, orders.customer(id))
      }),
      withdrawCustomer: Effect.fnUntraced(function* ({ headers, params: { id } }) {
        const stored = yield* served(orders.withdrawCustomer(id, yield* commandOptions(headers)))
        return yield* reply(stored, { customerId: id }, `/customers/${id}`, headers.prefer, orders.customer(id))
      })
    })
  })
)
