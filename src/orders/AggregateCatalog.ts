/** The default catalog: asks the `Product` and `Customer` aggregates, so a price is never older than the command. */
import { Effect, Layer } from "effect"
import { Aggregates } from "../aggregate/Aggregates.ts"
import type { CustomerId, ProductId } from "../order/OrderId.ts"
import { Catalog, type ProductQuote, UnknownCustomer, UnknownProduct } from "../catalog/Catalog.ts"
import { CustomerAggregate } from "../catalog/Customer.ts"
import { ProductAggregate, type ProductState } from "../catalog/Product.ts"

export const layer: Layer.Layer<Catalog, never, Aggregates> = Layer.effect(
  Catalog,
  Effect.gen(function* () {
    const aggregates = yield* Aggregates

    const customer = Effect.fnUntraced(function* (customerId: CustomerId) {
      const { state } = yield* aggregates.read(CustomerAggregate, customerId)
      if (state._tag === "Absent" || state.withdrawn) return yield* UnknownCustomer.of(customerId)
      return { name: state.name, email: state.email }
    })

    const quoteOf = ({ state }: { readonly state: ProductState }): ProductQuote | undefined => {
      if (state._tag === "Absent" || state.withdrawn) return undefined
      const { currency, name, taxBps, unitPrice } = state
      return { name, unitPrice, currency, taxBps }
    }

    const products = Effect.fnUntraced(function* (productIds: ReadonlyArray<ProductId>) {
      const found = (yield* aggregates.readAll(ProductAggregate, productIds)).map(quoteOf)
      const unknown = productIds.filter((_, index) => found[index] === undefined)
      if (unknown.length > 0) return yield* UnknownProduct.of(unknown)
      return new Map(
        productIds.flatMap((productId, index) => {
          const product = found[index]
          return product === undefined ? [] : [[productId, product] as const]
        })
      )
    })

    return Catalog.of({
      quote: (request) =>
        Effect.all(
          {
            customer: customer(request.customerId),
            products: products([...new Set(request.lines.map((line) => line.productId))]),
            shippingCost: Effect.succeed(0)
          },
          { concurrency: "unbounded" }
        ),
      product: (productId) =>
        Effect.flatMap(aggregates.read(ProductAggregate, productId), (found) => {
          const product = quoteOf(found)
          return product === undefined ? Effect.fail(UnknownProduct.of([productId])) : Effect.succeed(product)
        })
    })
  })
)
