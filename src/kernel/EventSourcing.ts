/**
 * The kernel without orders: layers that host aggregates and projections of your own, one for each kind of database.
 *
 * Provide one to the layers of your `Aggregate.Service` classes. `Projections` reports on the given projections.
 * Each of these layers is a kernel with actors and connections of its own: one program may have several, on databases or
 * schemas of their own.
 */
import { Layer, Redacted } from "effect"
import { Database } from "../database/Database.ts"
import type { DatabaseOptions } from "../database/DatabaseOptions.ts"
import type { HostPoolOptions } from "../database/HostPool.ts"
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
import * as SqlProjectionStore from "../projection/store/SqlProjectionStore.ts"
import * as LocalAggregates from "./LocalAggregates.ts"
import * as ProjectionLayers from "../projection/ProjectionLayers.ts"

const services = Layer.merge(LocalAggregates.layer, CommandRetention.layer).pipe(
  Layer.provideMerge(Commands.layer),
  Layer.provideMerge(Aggregates.layer)
)

/**
 * Builds a layer apart from those of other kernels: these are made of the same layers, which one program otherwise builds
 * once for all of them.
 */
export const apart = <A, E, R>(self: Layer.Layer<A, E, R>): Layer.Layer<A, E, R> =>
  Layer.fromBuildMemo((_, scope) => Layer.buildWithMemoMap(self, Layer.makeMemoMapUnsafe(), scope))

/**
 * Keeps everything in memory, for tests and trials: nothing survives the process. Subscriptions run, and projections that
 * are folds. It can't fail in practice; its error type is that of reading the log.
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
 * the projections (see `ProjectionHost`). Processes of different versions may share one database.
 */
export const layer = <E, R>(database: Layer.Layer<Database, E, R>, { projections = [] }: Options = {}) =>
  Layer.merge(services, ProjectionLayers.layer(projections)).pipe(
    Layer.provideMerge(ProjectionProgress.layer),
    Layer.provideMerge(SqlProjectionStore.layer),
    Layer.provideMerge(Layer.merge(LogTail.layer, SqlSnapshots.layer)),
    Layer.provideMerge(SqlEventStore.layer),
    Layer.provideMerge(Migrations.layer),
    apart,
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

export type SqlOptions = Options & Omit<HostPoolOptions, "projections">

/**
 * Hosts the kernel on PostgreSQL by connections of the host's own pool: of the `PgClient` of `@effect/sql-pg` that the program
 * provides. All promises are those of `layerPostgres`. Some connections are taken from the pool for good, each with settings
 * of its own (time-outs, READ COMMITTED), and are closed afterwards rather than given back; the pool opens others. Fails as
 * `layer` does, and with `DatabaseNotOpened`, which says how many connections are needed if the pool is too small.
 *
 * **Gotchas**: a transaction of that client is refused to contain a command, and contains no read of an aggregate or a view.
 * A projection writes by the `sql` that it is given; what it writes by the host's client is not part of its transaction.
 * How connections are made (`connectTimeout`, `keepAlive`, encryption) is up to the host's client. That one was lost is noticed
 * by the first statement on it, so one read per lost connection may fail with `DatabaseUnavailable`.
 */
export const layerSql = (options: SqlOptions = {}) =>
  layer(Database.layerHost({ ...options, projections: options.projections?.length ?? 0 }), options)
