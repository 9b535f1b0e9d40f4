/** What stands below the order service, wired once for each kind of database. */
import { Effect, Layer, Redacted } from "effect"
import * as AggregateCatalog from "./catalog/AggregateCatalog.ts"
import { CustomerAggregate } from "./catalog/Customer.ts"
import { demoCustomers, demoProducts } from "./catalog/DemoCatalog.ts"
import { ProductAggregate } from "./catalog/Product.ts"
import { Database, type DatabaseOptions } from "./database/Database.ts"
import { EventLog } from "./eventlog/EventLog.ts"
import { Aggregates } from "./eventsourcing/Aggregates.ts"
import * as Kernel from "./Kernel.ts"
import { ProjectionProgress } from "./projection/ProjectionProgress.ts"
import * as ProjectionRunner from "./projection/ProjectionRunner.ts"
import * as MemoryOrderQueries from "./readmodel/MemoryOrderQueries.ts"
import { OrderViewProjection } from "./readmodel/OrderViewProjection.ts"
import * as SqlOrderQueries from "./readmodel/SqlOrderQueries.ts"

/** Everything in memory: for tests and trials. */
export const memory = Layer.merge(AggregateCatalog.layer, MemoryOrderQueries.layer).pipe(
  Layer.provideMerge(Kernel.memory)
)

const querySide = SqlOrderQueries.layer.pipe(
  Layer.merge(ProjectionRunner.layer(OrderViewProjection)),
  Layer.provideMerge(ProjectionProgress.layer)
)

/** On the given database, which is migrated first. */
export const onDatabase = <E, R>(database: Layer.Layer<Database, E, R>) =>
  Layer.merge(AggregateCatalog.layer, querySide).pipe(Layer.provideMerge(Kernel.onDatabase(database)))

/** On PostgreSQL at `postgres://…`. */
export const postgres = (url: string, options?: Omit<DatabaseOptions, "url">) =>
  onDatabase(Database.layer({ ...options, url: Redacted.make(url) }))

/** Embedded: in a directory that this process then owns, or with "memory" in memory. Not safe in a power cut. */
export const embedded = (directory: string) =>
  onDatabase(Database.layer({ url: Redacted.make(`pglite:${directory}`), allowPgliteInProduction: true }))

/** Puts a few products and customers into an empty embedded log, so that the first order can be placed at once. */
export const demoCatalog = Layer.effectDiscard(
  Effect.gen(function* () {
    const { kind } = yield* Database
    const log = yield* EventLog
    if (kind !== "pglite" || (yield* log.head).position > 0n) return
    const aggregates = yield* Aggregates
    yield* Effect.forEach(demoProducts, (save) => aggregates.send(ProductAggregate, save.productId, save), {
      discard: true
    })
    yield* Effect.forEach(demoCustomers, (save) => aggregates.send(CustomerAggregate, save.customerId, save), {
      discard: true
    })
    yield* Effect.logInfo(
      `a demo catalog is in place: products ${demoProducts.map((save) => save.productId).join(", ")}; ` +
        `customers ${demoCustomers.map((save) => save.customerId).join(", ")}`
    )
  })
)
