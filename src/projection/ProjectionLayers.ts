/**
 * Wires projections: runs them, their rebuilds and their audits in the background, and offers the services
 * `Projections`, `Rebuilds`, `ParkedStreams` and `Audits`. `EventSourcing` calls this with the projections of an
 * application.
 */
import { Effect, Layer } from "effect"
import { Database } from "../database/Database.ts"
import { Audits } from "./audit/Audits.ts"
import * as SqlAudits from "./audit/SqlAudits.ts"
import * as Checkpoint from "./Checkpoint.ts"
import { ParkedStreams } from "./parking/ParkedStreams.ts"
import * as SqlParkedStreams from "./parking/SqlParkedStreams.ts"
import type { Projection } from "./Projection.ts"
import { Projections } from "./Projections.ts"
import * as RebuildRunner from "./rebuild/RebuildRunner.ts"
import { Rebuilds } from "./rebuild/Rebuilds.ts"
import * as SqlRebuilds from "./rebuild/SqlRebuilds.ts"
import * as ProjectionRunner from "./run/ProjectionRunner.ts"
import * as SqlProjections from "./SqlProjections.ts"

/** Offers the services where nothing is projected: in memory. */
export const layerMemory = Layer.mergeAll(
  Projections.layerMemory,
  Rebuilds.layerMemory,
  ParkedStreams.layerMemory,
  Audits.layerMemory
)

const duplicateOf = (names: ReadonlyArray<string>) => names.find((name, index) => names.indexOf(name) < index)

/** Says why these projections can't run beside each other. */
const clashOf = (projections: ReadonlyArray<Projection>): string | undefined => {
  const name = duplicateOf(projections.map(({ name }) => name))
  if (name !== undefined) return `Two projections are named ${name}; give each a name of its own.`
  const table = duplicateOf(projections.flatMap(({ tables }) => tables?.names ?? []))
  return table === undefined ? undefined : `Two projections keep their rows in ${table}; give each a table of its own.`
}

/** Runs a projection and its rebuilds, once its table and checkpoint are there. */
const background = (projection: Projection) => {
  const setUp = Effect.flatMap(Database, ({ projections }) => Checkpoint.setUp(projections, projection))
  return Layer.merge(ProjectionRunner.layer(projection), RebuildRunner.layer(projection)).pipe(
    Layer.provide(Layer.effectDiscard(setUp))
  )
}

/**
 * Runs these projections until the scope closes, as far as no other process does. Fails with `ProjectionStopped` if the
 * table of one has rows but no checkpoint; dies if two share a name or a table.
 */
export const layer = (projections: ReadonlyArray<Projection>) => {
  const clash = clashOf(projections)
  const services = Layer.mergeAll(
    SqlProjections.layer(projections),
    SqlRebuilds.layer(projections),
    SqlParkedStreams.layer(projections),
    SqlAudits.layer(projections)
  )
  const running = Layer.mergeAll(services, ...projections.map(background))
  return Layer.unwrap(clash === undefined ? Effect.succeed(running) : Effect.die(new TypeError(clash)))
}
