/** Fills an empty log with a small shop to try things with: a few products and customers. */
import { Effect, Layer } from "effect"
import { streamId } from "../aggregate/Aggregate.ts"
import { Aggregates } from "../aggregate/Aggregates.ts"
import { Database } from "../database/Database.ts"
import { EventStore } from "../eventstore/EventStore.ts"
import { Currency } from "../order/Money.ts"
import { CustomerId, ProductId } from "../order/OrderId.ts"
import { CustomerAggregate, CustomerCommand } from "../catalog/Customer.ts"
import { ProductAggregate, ProductCommand } from "../catalog/Product.ts"

const { SaveProduct } = ProductCommand.cases
const { SaveCustomer } = CustomerCommand.cases

const product = (id: string, name: string, unitPrice: number, taxBps: number) =>
  SaveProduct.make({ productId: ProductId.make(id), name, unitPrice, currency: Currency.make("EUR"), taxBps })

const customer = (id: string, name: string) =>
  SaveCustomer.make({ customerId: CustomerId.make(id), name, email: `${id}@example.org` })

export const demoProducts: ReadonlyArray<typeof SaveProduct.Type> = [
  product("mug", "Mug", 1250, 1900),
  product("teapot", "Teapot", 3490, 1900),
  product("tea", "Darjeeling, 100 g", 895, 700),
  product("book", "The Book of Tea", 1800, 700),
  product("postcard", "Postcard", 0, 1900)
]

export const demoCustomers: ReadonlyArray<typeof SaveCustomer.Type> = [
  customer("ada", "Ada Lovelace"),
  customer("grace", "Grace Hopper"),
  customer("alan", "Alan Turing")
]

const demoSize = BigInt(demoProducts.length + demoCustomers.length)

/** Returns true if nothing was stored yet, or only a first part of the demo catalog before the process was killed. */
const isEmpty = Effect.fnUntraced(function* (log: EventStore["Service"]) {
  if ((yield* log.head).position >= demoSize) return false
  const [first] = yield* log.readAll({ after: 0n, limit: 1 })
  return (
    first === undefined ||
    demoProducts.some(({ productId }) => first.streamId === streamId(ProductAggregate, productId))
  )
})

/** Saves the demo catalog if nothing is stored yet, so that the first order can be placed at once. */
export const fill = Effect.gen(function* () {
  if (!(yield* isEmpty(yield* EventStore))) return
  const aggregates = yield* Aggregates
  for (const save of demoProducts) yield* aggregates.send(ProductAggregate, save.productId, save)
  for (const save of demoCustomers) yield* aggregates.send(CustomerAggregate, save.customerId, save)
  yield* Effect.logInfo(
    `A demo catalog is in place: products ${demoProducts.map((save) => save.productId).join(", ")}; ` +
      `customers ${demoCustomers.map((save) => save.customerId).join(", ")}.`
  )
})

/** Fills an embedded database, and leaves others as they are. */
export const layer = Layer.effectDiscard(
  Effect.flatMap(Database, ({ kind }) => (kind === "pglite" ? fill : Effect.void))
)
