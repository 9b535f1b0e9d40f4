/** What stands below the order service, wired once for each kind of database. */
import { Effect, Layer, Redacted } from "effect"
import * as AggregateCatalog from "./AggregateCatalog.ts"
import { CustomerAggregate } from "../catalog/Customer.ts"
import { demoCustomers, demoProducts } from "./DemoCatalog.ts"
import { ProductAggregate } from "../catalog/Product.ts"
import { Database, type DatabaseOptions } from "../database/Database.ts"
import { EventLog } from "../eventstore/EventLog.ts"
import { streamId } from "../aggregate/Aggregate.ts"
import { Aggregates } from "../aggregate/Aggregates.ts"
import * as Kernel from "../kernel/Kernel.ts"
import { CatalogViewProjection } from "../views/catalog/CatalogViewProjection.ts"
import * as MemoryCatalogQueries from "../views/catalog/MemoryCatalogQueries.ts"
import * as MemoryOrderQueries from "../views/order/MemoryOrderQueries.ts"
import { OrderViewProjection } from "../views/order/OrderViewProjection.ts"
import * as SqlCatalogQueries from "../views/catalog/SqlCatalogQueries.ts"
import * as SqlOrderQueries from "../views/order/SqlOrderQueries.ts"

/** Everything in memory: for tests and trials. */
export const memory = Layer.mergeAll(AggregateCatalog.layer, MemoryOrderQueries.layer, MemoryCatalogQueries.layer).pipe(
  Layer.provideMerge(Kernel.memory)
)

/** On the given database, which is migrated first. `projections`: of one's own, beside those that orders need. */
export const onDatabase = <E, R>(database: Layer.Layer<Database, E, R>, { projections = [] }: Kernel.Options = {}) =>
  Layer.mergeAll(AggregateCatalog.layer, SqlOrderQueries.layer, SqlCatalogQueries.layer).pipe(
    Layer.provideMerge(
      Kernel.onDatabase(database, { projections: [OrderViewProjection, CatalogViewProjection, ...projections] })
    )
  )

/** On PostgreSQL at `postgres://…`. */
export const postgres = (url: string, options: Kernel.Options & Omit<DatabaseOptions, "url"> = {}) =>
  onDatabase(Database.layer({ ...options, url: Redacted.make(url) }), options)

/** Embedded: in a directory that this process then owns, or with "memory" in memory. Not safe in a power cut. */
export const embedded = (directory: string, options?: Kernel.Options) =>
  onDatabase(Database.layer({ url: Redacted.make(`pglite:${directory}`), allowPgliteInProduction: true }), options)

const demoSize = BigInt(demoProducts.length + demoCustomers.length)

/** Nothing was stored yet, or only the first of the demo catalog, before the process was killed. */
const isEmpty = Effect.fnUntraced(function* (log: EventLog["Service"]) {
  if ((yield* log.head).position >= demoSize) return false
  const [first] = yield* log.readAll({ after: 0n, limit: 1 })
  return (
    first === undefined ||
    demoProducts.some(({ productId }) => first.streamId === streamId(ProductAggregate, productId))
  )
})

/** Puts a few products and customers into an empty embedded log, so that the first order can be placed at once. */
export const demoCatalog = Layer.effectDiscard(
  Effect.gen(function* () {
    const { kind } = yield* Database
    if (kind !== "pglite" || !(yield* isEmpty(yield* EventLog))) return
    const aggregates = yield* Aggregates
    for (const save of demoProducts) yield* aggregates.send(ProductAggregate, save.productId, save)
    for (const save of demoCustomers) yield* aggregates.send(CustomerAggregate, save.customerId, save)
    yield* Effect.logInfo(
      `a demo catalog is in place: products ${demoProducts.map((save) => save.productId).join(", ")}; ` +
        `customers ${demoCustomers.map((save) => save.customerId).join(", ")}`
    )
  })
)
