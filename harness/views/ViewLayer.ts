import { Effect, Layer } from "effect"
import type { DatabaseOptions } from "../../src/database/DatabaseOptions.ts"
import { LogTail } from "../../src/eventstore/tail/LogTail.ts"
import * as MemoryEventStore from "../../src/eventstore/MemoryEventStore.ts"
import type { Projection } from "../../src/projection/Projection.ts"
import { ProjectionProgress } from "../../src/projection/consistency/ProjectionProgress.ts"
import * as ProjectionRunner from "../../src/projection/run/ProjectionRunner.ts"
import { ProjectionLimits } from "../../src/projection/ProjectionLimits.ts"
import * as ProjectionLayers from "../../src/projection/ProjectionLayers.ts"
import * as SqlProjectionStore from "../../src/projection/store/SqlProjectionStore.ts"
import * as MemoryOrderQueries from "../../src/views/order/MemoryOrderQueries.ts"
import { OrderViewProjection } from "../../src/views/order/OrderViewProjection.ts"
import * as SqlOrderQueries from "../../src/views/order/SqlOrderQueries.ts"
import { freshDatabase } from "../vitest/FreshDatabase.ts"
import { logLayer } from "./LogLayer.ts"

/** Every pool as small as can be: whoever needs two connections at once hangs. */
export const onePerPool: Omit<DatabaseOptions, "url"> = { pools: { append: 1, projections: 1, reads: 1 } }

/** Makes one process without a runner: log, progress and order queries. */
export const readerLayer = (url: string, options: Omit<DatabaseOptions, "url"> = {}) =>
  SqlOrderQueries.layer.pipe(
    Layer.provideMerge(Layer.merge(LogTail.layer, ProjectionProgress.layer)),
    // Each process has a store of its own.
    Layer.provideMerge(Layer.fresh(SqlProjectionStore.layer)),
    Layer.provideMerge(logLayer(url, { ...onePerPool, ...options }))
  )

/** Makes one process that also runs the order view. */
export const processLayer = (url: string, options: Omit<DatabaseOptions, "url"> = {}) =>
  ProjectionRunner.layer(OrderViewProjection).pipe(Layer.provideMerge(readerLayer(url, options)))

/** Makes these projections without the audits in the background. */
export const unaudited = (projections: ReadonlyArray<Projection>) =>
  Layer.unwrap(
    Effect.map(ProjectionLimits, (limits) =>
      Layer.provide(
        ProjectionLayers.layer(projections),
        Layer.succeed(ProjectionLimits, { ...limits, auditStreams: 0 })
      )
    )
  )

/** Makes one process with everything that an operator can do; audits only when it is asked. */
export const operatedLayer = (
  url: string,
  projection: Projection = OrderViewProjection,
  options: Omit<DatabaseOptions, "url"> = {}
) => unaudited([projection]).pipe(Layer.provideMerge(readerLayer(url, options)))

export const fresh = <A, E, R>(layer: (url: string) => Layer.Layer<A, E, R>) =>
  Layer.unwrap(Effect.map(freshDatabase, layer))

/** This is log and order queries without any database. */
export const memoryLayer = MemoryOrderQueries.layer.pipe(
  Layer.provideMerge(LogTail.layer),
  Layer.provideMerge(MemoryEventStore.layer())
)
