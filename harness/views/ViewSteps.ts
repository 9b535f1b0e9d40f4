/** Steps of tests of views: they wait for the order view, for its entry in the list, or for a rebuild of it. */
import { Deferred, Effect, Logger } from "effect"
import { ProjectionProgress } from "../../src/projection/consistency/ProjectionProgress.ts"
import type { ProjectionAudit } from "../../src/projection/Projection.ts"
import { type ProjectionInfo, Projections } from "../../src/projection/Projections.ts"
import { type Rebuild, Rebuilds } from "../../src/projection/rebuild/Rebuilds.ts"
import { OrderViewProjection } from "../../src/views/order/OrderViewProjection.ts"

export const { name } = OrderViewProjection
export const silent = Logger.layer([])

/** Waits until the order view has everything up to this position. */
export const viewReaches = (position: bigint) =>
  Effect.flatMap(ProjectionProgress, (progress) => progress.awaitPosition(OrderViewProjection, position))

export const awaitRebuild = (id: string, isReached: (rebuild: Rebuild) => boolean) =>
  Effect.flatMap(Rebuilds, (rebuilds) =>
    rebuilds.get(id).pipe(Effect.delay("20 millis"), Effect.repeat({ until: isReached }))
  )

export const rebuildEnds = (id: string) => awaitRebuild(id, ({ state }) => state !== "running")

/** Gives the order view's entry in the list, once it is as asked. */
export const infoWhen = (isIt: (info: ProjectionInfo) => boolean) =>
  Effect.flatMap(Projections, (projections) =>
    projections.list.pipe(
      Effect.delay("20 millis"),
      Effect.map(([info]) => info!),
      Effect.repeat({ until: isIt })
    )
  )

/** Makes an audit of the order view that waits, once it `isBegun`, until it `isOpen`. */
export const heldAudit = Effect.gen(function* () {
  const [isBegun, isOpen] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
  const own = OrderViewProjection.audit!
  const audit: ProjectionAudit = {
    ...own,
    streams: (...asked) =>
      Deferred.succeed(isBegun, undefined).pipe(
        Effect.andThen(Deferred.await(isOpen)),
        Effect.andThen(own.streams(...asked))
      )
  }
  return { audit, isBegun, isOpen }
})
