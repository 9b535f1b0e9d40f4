/**
 * The kernel without orders: layers that host aggregates and projections of your own, one for each kind of database.
 *
 * Provide one to the layers of your `Aggregate.Service` classes. `Projections` reports on the given projections.
 * Give one program one of these layers: each has its own actors and its own connections.
 */
import { Layer, Redacted } from "effect"
import { Database } from "../database/Database.ts"
import type { DatabaseOptions } from "../database/DatabaseOptions.ts"
import * as Migrations from "../database/Migrations.ts"
import * as CommandRetention from "../eventstore/CommandRetention.ts"
import { LogTail } from "../eventstore/tail/LogTail.ts"
import * as MemoryEventStore from "../eventstore/MemoryEventStore.ts"
import * as SqlEventStore from "../eventstore/SqlEventStore.ts"
import { Aggregates } from "../aggregate/Aggregates.ts"
import { Commands } from "../aggregate/idempotency/Commands.ts"
import { Snapshots } from "../aggregate/Snapshots.ts"
import * as SqlSnapshots from "../aggregate/SqlSnapshots.ts"
import type { Projection } from "../projection/Projection.ts"
import { ProjectionProgress } from "../projection/consistency/ProjectionProgress.ts"
import * as LocalAggregates from "./LocalAggregates.ts"
import * as ProjectionLayers from "../projection/ProjectionLayers.ts"

const services = Layer.merge(LocalAggregates.layer, CommandRetention.layer).pipe(
  Layer.provideMerge(Commands.layer),
  Layer.provideMerge(Aggregates.layer)
)

/**
 * Keeps everything in memory, for tests and trials: nothing survives the process, and projections do not run. It can't
 * fail in practice; its error type is that of reading the log.
 */
export const layerMemory = Layer.merge(services, ProjectionLayers.layerMemory).pipe(
  Layer.provideMerge(Layer.merge(LogTail.layer, Snapshots.layerMemory)),
  Layer.provideMerge(MemoryEventStore.layer())
)

export interface Options {
  /** The projections to run here unless another process on the same database runs them. Their names must differ. */
  readonly projections?: ReadonlyArray<Projection>
}

/**
 * Hosts the kernel on a database of your own making, which is migrated first.
 *
 * Building it fails with the errors of your layer, with `DatabaseUnavailable` if the database can't be reached (build it
 * again later), with `DatabaseNotOpened` if the schema is a newer one or can't be brought up to date, or with an error of
 * the projections (see `SqlProjections.layer`). Processes of different versions may share one database.
 */
export const layer = <E, R>(database: Layer.Layer<Database, E, R>, { projections = [] }: Options = {}) =>
  Layer.merge(services, ProjectionLayers.layer(projections)).pipe(
    Layer.provideMerge(ProjectionProgress.layer),
    Layer.provideMerge(Layer.merge(LogTail.layer, SqlSnapshots.layer)),
    Layer.provideMerge(SqlEventStore.layer),
    Layer.provideMerge(Migrations.layer),
    Layer.provideMerge(database)
  )

/**
 * Hosts the kernel on PostgreSQL at `postgres://…`. Pools count connections; `connectTimeout` is a duration, 2 seconds by
 * default. Fails as `layer` does, and with `DatabaseNotOpened` if the URL is not one of PostgreSQL or PGlite.
 */
export const layerPostgres = (url: string, options: Options & Omit<DatabaseOptions, "url"> = {}) =>
  layer(Database.layer({ ...options, url: Redacted.make(url) }), options)

/**
 * Hosts the kernel on PGlite, a PostgreSQL in this process: in `directory`, which this process locks until the layer is
 * closed, or in memory if `directory` is "memory". Fails as `layer` does, and with `DatabaseNotOpened` if another process
 * owns the directory.
 *
 * **Gotchas**: PGlite does not force its writes to the disk, so a power cut can lose or damage data.
 */
export const layerPglite = (directory: string, options: Options & Pick<DatabaseOptions, "schema"> = {}) =>
  layer(
    Database.layer({ ...options, url: Redacted.make(`pglite:${directory}`), allowPgliteInProduction: true }),
    options
  )
