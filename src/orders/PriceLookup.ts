/**
 * The default catalog: the `Product` and `Customer` aggregates, remembered. A quote names the versions that it was made from
 * as guards, so an order at a price that has changed is not stored, and no answer rests on the memory alone: what can't be
 * ordered is not remembered, but asked for again.
 *
 * The memory holds at most 10,000 products and 10,000 customers, those that were used last. It follows the tail, so that
 * few quotes are made in vain, and forgets everything when the log was replaced.
 */
import { Effect, Layer, Stream } from "effect"
import { type Aggregate, streamId } from "../aggregate/Aggregate.ts"
import { Aggregates } from "../aggregate/Aggregates.ts"
import { Catalog, type ProductQuote, type Quote, UnknownCustomer, UnknownProduct } from "../catalog/Catalog.ts"
import * as CatalogMemory from "../catalog/CatalogMemory.ts"
import { CustomerAggregate, type CustomerState } from "../catalog/Customer.ts"
import { ProductAggregate, type ProductState } from "../catalog/Product.ts"
import { category, id } from "../eventstore/StreamId.ts"
import { LogTail } from "../eventstore/tail/LogTail.ts"
import type { ProductId } from "../order/OrderId.ts"
import type { Contact } from "../order/Text.ts"
import { supervise } from "../supervision/Supervisor.ts"
import * as Span from "../telemetry/Span.ts"

const quoteOf = (state: ProductState): ProductQuote | undefined => {
  if (state._tag === "Absent" || state.withdrawn) return undefined
  const { currency, name, taxBps, unitPrice } = state
  return { name, unitPrice, currency, taxBps }
}

const contactOf = (state: CustomerState): Contact | undefined =>
  state._tag === "Absent" || state.withdrawn ? undefined : { name: state.name, email: state.email }

/** `limit` bounds the remembered products, and as many customers. */
export const make = Effect.fnUntraced(function* (limit = 10_000) {
  const aggregates = yield* Aggregates
  const tail = yield* LogTail
  const products = CatalogMemory.make<ProductQuote>(limit)
  const customers = CatalogMemory.make<Contact>(limit)
  const memories = new Map<string, CatalogMemory.CatalogMemory<unknown>>([
    [ProductAggregate.category, products],
    [CustomerAggregate.category, customers]
  ])

  const forgetAll = Effect.sync(() => memories.forEach((memory) => memory.forgetAll()))
  /** Nothing is remembered of what was before this position, at which the tail is followed first. */
  let first: bigint | undefined = yield* tail.position
  const follow = Effect.gen(function* () {
    // Actors may still have known a replaced log when the tail said so, but do no more when it is followed again.
    const after = first ?? (yield* Effect.andThen(forgetAll, tail.position))
    first = undefined
    yield* Stream.runForEach(tail.pages(after), (page) =>
      Effect.sync(() => {
        for (const { streamId, version } of page) memories.get(category(streamId))?.forget(id(streamId), version)
      })
    )
  })
  // The tail fails its readers when the log was replaced: a remembered version then says nothing about what is there now.
  yield* supervise("catalog-follower", Effect.ensuring(follow, forgetAll))

  /** Makes a look-up of several ids: it finds what is remembered, and reads the rest if there is any, or all if `fresh`. */
  const lookUp =
    <State, Command, Event, Rejection, A>(
      aggregate: Aggregate<State, Command, Event, Rejection>,
      memory: CatalogMemory.CatalogMemory<A>,
      valueOf: (state: State) => A | undefined
    ) =>
    (ids: ReadonlyArray<string>, fresh: boolean) => {
      const found = new Map<string, CatalogMemory.Remembered<A>>()
      for (const id of fresh ? [] : ids) {
        const known = memory.get(id)
        if (known !== undefined) found.set(id, known)
      }
      const missing = ids.filter((id) => !found.has(id))
      if (missing.length === 0) return { found, reads: [] }
      const { epoch } = memory
      const read = Effect.map(aggregates.readAll(aggregate, missing), (answers) => {
        for (const [index, { state, version }] of answers.entries()) {
          const id = missing[index]!
          const value = valueOf(state)
          if (value === undefined) {
            memory.forget(id, version)
          } else {
            const remembered = { value, guard: { streamId: streamId(aggregate, id), version } }
            found.set(id, remembered)
            memory.put(id, remembered, epoch)
          }
        }
      })
      return { found, reads: [read] }
    }
  const findProducts = lookUp(ProductAggregate, products, quoteOf)
  const findCustomers = lookUp(CustomerAggregate, customers, contactOf)

  return Catalog.of({
    quote: ({ customerId, lines }, { fresh = false } = {}) =>
      Effect.suspend(() => {
        const productIds = [...new Set(lines.map((line) => line.productId))]
        const customer = findCustomers([customerId], fresh)
        const quoted = findProducts(productIds, fresh)
        const quote = Effect.suspend((): Effect.Effect<Quote, UnknownCustomer | UnknownProduct> => {
          const contact = customer.found.get(customerId)
          if (contact === undefined) return Effect.fail(UnknownCustomer.of(customerId))
          const unknown = productIds.filter((productId) => !quoted.found.has(productId))
          if (unknown.length > 0) return Effect.fail(UnknownProduct.of(unknown))
          const guards = [contact.guard]
          const products = new Map<ProductId, ProductQuote>()
          for (const productId of productIds) {
            const { guard, value } = quoted.found.get(productId)!
            products.set(productId, value)
            guards.push(guard)
          }
          return Effect.succeed({ customer: contact.value, products, shippingCost: 0, guards })
        })
        const reads = [...customer.reads, ...quoted.reads]
        if (reads.length === 0) return quote
        return Effect.andThen(Effect.all(reads, { concurrency: "unbounded", discard: true }), quote)
      }).pipe(Span.within("Catalog.quote")),
    product: Span.fn("Catalog.product")(function* (productId, { fresh = false } = {}) {
      const { found, reads } = findProducts([productId], fresh)
      yield* Effect.all(reads, { discard: true })
      const quoted = found.get(productId)
      return quoted === undefined ? yield* UnknownProduct.of([productId]) : { ...quoted.value, guards: [quoted.guard] }
    })
  })
})

export const layer: Layer.Layer<Catalog, never, Aggregates | LogTail> = Layer.effect(Catalog, make())
