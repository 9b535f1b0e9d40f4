/** What stands below the order service, wired once for each kind of database. */
import { Effect, Layer, Redacted } from "effect"
import * as AggregateCatalog from "./catalog/AggregateCatalog.ts"
import { CustomerAggregate } from "./catalog/Customer.ts"
import { demoCustomers, demoProducts } from "./catalog/DemoCatalog.ts"
import { ProductAggregate } from "./catalog/Product.ts"
import { Database, type DatabaseOptions } from "./database/Database.ts"
import * as Migrations from "./database/Migrations.ts"
import { EventLog } from "./eventlog/EventLog.ts"
import { LogTail } from "./eventlog/LogTail.ts"
import * as MemoryEventLog from "./eventlog/MemoryEventLog.ts"
import * as SqlEventLog from "./eventlog/SqlEventLog.ts"
import { Aggregates } from "./eventsourcing/Aggregates.ts"
import { KeyedCommands } from "./eventsourcing/KeyedCommands.ts"
import { Snapshots } from "./eventsourcing/Snapshots.ts"
import * as SqlSnapshots from "./eventsourcing/SqlSnapshots.ts"
import { ProjectionProgress } from "./projection/ProjectionProgress.ts"
import { Projections } from "./projection/Projections.ts"
import * as SqlProjections from "./projection/SqlProjections.ts"
import * as MemoryOrderQueries from "./readmodel/MemoryOrderQueries.ts"
import { OrderViewProjection } from "./readmodel/OrderViewProjection.ts"
import * as SqlOrderQueries from "./readmodel/SqlOrderQueries.ts"

const commandSide = Layer.merge(AggregateCatalog.layer, KeyedCommands.layer).pipe(Layer.provideMerge(Aggregates.layer))

/** Everything in memory: for tests and trials. */
export const memory = Layer.mergeAll(commandSide, MemoryOrderQueries.layer, Projections.layerNone).pipe(
  Layer.provideMerge(Layer.merge(LogTail.layer, Snapshots.layerMemory)),
  Layer.provideMerge(MemoryEventLog.layer())
)

const querySide = SqlOrderQueries.layer.pipe(
  Layer.merge(SqlProjections.layer([OrderViewProjection])),
  Layer.provideMerge(ProjectionProgress.layer)
)

/** On the given database, which is migrated first. */
export const onDatabase = <E, R>(database: Layer.Layer<Database, E, R>) =>
  Layer.mergeAll(commandSide, querySide).pipe(
    Layer.provideMerge(Layer.merge(LogTail.layer, SqlSnapshots.layer)),
    Layer.provideMerge(SqlEventLog.layer),
    Layer.provideMerge(Migrations.layer),
    Layer.provideMerge(database)
  )

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
