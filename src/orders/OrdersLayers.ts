/**
 * Wires `Orders` with everything below it, once for each kind of database. What lies below is provided too, so that a
 * program can also ask for `Projections`, `EventStore` or `Aggregates`.
 */
import { Layer, Redacted } from "effect"
import * as CachedOrderQueries from "../cache/CachedOrderQueries.ts"
import * as PriceLookup from "./PriceLookup.ts"
import * as OrdersLocal from "./OrdersLocal.ts"
import { Database } from "../database/Database.ts"
import type { DatabaseOptions } from "../database/DatabaseOptions.ts"
import * as EventSourcing from "../kernel/EventSourcing.ts"
import type { Projection } from "../projection/Projection.ts"
import { Projection as Typed } from "../projection/TypedProjection.ts"
import { CatalogViewProjection } from "../views/catalog/CatalogViewProjection.ts"
import * as MemoryOrderQueries from "../views/order/MemoryOrderQueries.ts"
import { OrderViewProjection } from "../views/order/OrderViewProjection.ts"
import * as SqlOrderPolicies from "../views/order/SqlOrderPolicies.ts"
import * as ReplicaOrderQueries from "../views/order/ReplicaOrderQueries.ts"

/** Runs the catalog view on a kernel in memory, where nothing is in its way. */
export const catalogInMemory = Layer.orDie(Typed.layer(CatalogViewProjection))

/** Keeps everything in memory, where it is gone with the process: for tests and trials. */
export const layerMemory = OrdersLocal.layer.pipe(
  Layer.provideMerge(Layer.mergeAll(PriceLookup.layer, MemoryOrderQueries.layer, catalogInMemory)),
  Layer.provideMerge(EventSourcing.layerMemory)
)

const readingFrom = (queries: typeof ReplicaOrderQueries.layer) =>
  OrdersLocal.layer.pipe(
    Layer.provideMerge(Layer.merge(PriceLookup.layer, CachedOrderQueries.layer(queries))),
    Layer.provide(SqlOrderPolicies.layer)
  )

/**
 * Provides `Orders` on a kernel that the caller provides. The views of orders and of the catalog are filled only if
 * some kernel on the same database runs their projections.
 */
export const layerNoDeps = readingFrom(ReplicaOrderQueries.layer)

/** Make the views that `Orders` reads. */
export const projections = [OrderViewProjection, CatalogViewProjection] as const

/** Where the order view is kept: the projection that keeps it there, and what answers queries from it. */
export interface OrderViewPlace {
  readonly projection: Projection
  readonly queries: typeof ReplicaOrderQueries.layer
}

const inDatabase: OrderViewPlace = { projection: OrderViewProjection, queries: ReplicaOrderQueries.layer }

/** Stands on the given database, which is migrated first. `projections` run beside the two that orders need. */
export const layer = <E, R>(
  database: Layer.Layer<Database, E, R>,
  { orderView = inDatabase, projections = [] }: EventSourcing.Options & { readonly orderView?: OrderViewPlace } = {}
) =>
  EventSourcing.apart(readingFrom(orderView.queries)).pipe(
    Layer.provideMerge(
      EventSourcing.layer(database, { projections: [orderView.projection, CatalogViewProjection, ...projections] })
    )
  )

/** Stands on the PostgreSQL server at the URL `postgres://…`. */
export const layerPostgres = (url: string, options: EventSourcing.Options & Omit<DatabaseOptions, "url"> = {}) =>
  layer(Database.layer({ ...options, url: Redacted.make(url) }), options)

/**
 * Provides `Orders` on PGlite, which keeps its data in `directory`, owned by this process from then on, or in memory if
 * `directory` is "memory". A power cut can lose data.
 */
export const layerPglite = (directory: string, options: EventSourcing.Options & Pick<DatabaseOptions, "schema"> = {}) =>
  layer(
    Database.layer({ ...options, url: Redacted.make(`pglite:${directory}`), allowPgliteInProduction: true }),
    options
  )

/** Stands on PostgreSQL by the `PgClient` that the program provides: see `EventSourcing.layerSql`. */
export const layerSql = (options: EventSourcing.SqlOptions = {}) =>
  layer(
    Database.layerHost({ ...options, projections: projections.length + (options.projections?.length ?? 0) }),
    options
  )
