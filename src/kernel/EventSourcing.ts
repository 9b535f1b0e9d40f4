/**
 * The kernel without orders: what hosts aggregates of one's own, wired once for each kind of database. `Aggregates` sends
 * commands, `KeyedCommands` sends them at most once, `Projections` says how the projections that it is given are doing.
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
import * as ProjectionLayers from "../projection/ProjectionLayers.ts"

const services = Layer.merge(Commands.layer, CommandRetention.layer).pipe(Layer.provideMerge(Aggregates.layer))

/** Everything in memory: for tests and trials. */
export const layerMemory = Layer.merge(services, ProjectionLayers.layerMemory).pipe(
  Layer.provideMerge(Layer.merge(LogTail.layer, Snapshots.layerMemory)),
  Layer.provideMerge(MemoryEventStore.layer())
)

export interface Options {
  /** Run here as far as no other process runs them; each has a name of its own. */
  readonly projections?: ReadonlyArray<Projection>
}

/** On the given database, which is migrated first. */
export const layer = <E, R>(database: Layer.Layer<Database, E, R>, { projections = [] }: Options = {}) =>
  Layer.merge(services, ProjectionLayers.layer(projections)).pipe(
    Layer.provideMerge(ProjectionProgress.layer),
    Layer.provideMerge(Layer.merge(LogTail.layer, SqlSnapshots.layer)),
    Layer.provideMerge(SqlEventStore.layer),
    Layer.provideMerge(Migrations.layer),
    Layer.provideMerge(database)
  )

/** On PostgreSQL at `postgres://…`. */
export const layerPostgres = (url: string, options: Options & Omit<DatabaseOptions, "url"> = {}) =>
  layer(Database.layer({ ...options, url: Redacted.make(url) }), options)

/** Embedded: in a directory that this process then owns, or with "memory" in memory. Not safe in a power cut. */
export const layerPglite = (directory: string, options?: Options) =>
  layer(Database.layer({ url: Redacted.make(`pglite:${directory}`), allowPgliteInProduction: true }), options)
