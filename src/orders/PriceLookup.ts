/** The default catalog asks the `Product` and `Customer` aggregates, so a price is never older than the command. */
import { Effect, Layer } from "effect"
import { Aggregates } from "../aggregate/Aggregates.ts"
import { Catalog, type ProductQuote, UnknownCustomer, UnknownProduct } from "../catalog/Catalog.ts"
import { CustomerAggregate } from "../catalog/Customer.ts"
import { ProductAggregate, type ProductState } from "../catalog/Product.ts"
import type { CustomerId, ProductId } from "../order/OrderId.ts"
import * as Span from "../telemetry/Span.ts"

const quoteOf = (state: ProductState): ProductQuote | undefined => {
  if (state._tag === "Absent" || state.withdrawn) return undefined
  const { currency, name, taxBps, unitPrice } = state
  return { name, unitPrice, currency, taxBps }
}

export const make = Effect.gen(function* () {
  const aggregates = yield* Aggregates

  const customer = Effect.fnUntraced(function* (customerId: CustomerId) {
    const { state } = yield* aggregates.read(CustomerAggregate, customerId)
    if (state._tag === "Absent" || state.withdrawn) return yield* UnknownCustomer.of(customerId)
    return { name: state.name, email: state.email }
  })

  const products = Effect.fnUntraced(function* (productIds: ReadonlyArray<ProductId>) {
    const found = yield* aggregates.readAll(ProductAggregate, productIds)
    const quotes = new Map<ProductId, ProductQuote>()
    for (const [index, productId] of productIds.entries()) {
      const quote = quoteOf(found[index]!.state)
      if (quote !== undefined) quotes.set(productId, quote)
    }
    const unknown = productIds.filter((productId) => !quotes.has(productId))
    return unknown.length === 0 ? quotes : yield* UnknownProduct.of(unknown)
  })

  return Catalog.of({
    quote: ({ customerId, lines }) =>
      Effect.all(
        {
          customer: customer(customerId),
          products: products([...new Set(lines.map((line) => line.productId))]),
          shippingCost: Effect.succeed(0)
        },
        { concurrency: "unbounded" }
      ).pipe(Span.within("Catalog.quote")),
    product: Span.fn("Catalog.product")(function* (productId) {
      const quote = quoteOf((yield* aggregates.read(ProductAggregate, productId)).state)
      return quote ?? (yield* UnknownProduct.of([productId]))
    })
  })
})

export const layer: Layer.Layer<Catalog, never, Aggregates> = Layer.effect(Catalog, make)
