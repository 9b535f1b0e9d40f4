/**
 * Entry point `ordinal/projection`: views of your own. A `Projection` is a value that says how events change its
 * tables. `Projections` tells how far each one is and waits for consistency tokens; `Rebuilds`, `ParkedStreams` and
 * `Audits` are for operators. `ProjectionLayers` runs projections where `EventSourcing` does not.
 */
export * from "./audit/Audits.ts"
export {
  type Checkpoint,
  CheckpointMoved,
  lag as projectionLag,
  type Lag as ProjectionLag,
  ProjectionStopped
} from "./Checkpoint.ts"
export * as ConsistencyToken from "./consistency/ConsistencyToken.ts"
export { InvalidToken, ProjectionBehind } from "./consistency/ConsistencyToken.ts"
export * as PositionLatch from "./consistency/PositionLatch.ts"
export { ProjectionProgress, type ProjectionStatus } from "./consistency/ProjectionProgress.ts"
export * as TokenWait from "./consistency/TokenWait.ts"
export { parkedAt } from "./parking/ParkedRows.ts"
export type { Fold, Options as FoldOptions } from "./fold/Fold.ts"
export {
  type FoldQueries,
  type Found,
  type Listed,
  type ListOptions,
  type Page,
  type ReadOptions,
  RowUnreadable
} from "./fold/FoldQueries.ts"
export type { Field, FieldOf, Scalar } from "./fold/FoldFields.ts"
export { InvalidQuery, type Listable, type Selection, type StoredRow } from "./fold/FoldList.ts"
export { FoldReads, type Readable, type Selected } from "./fold/FoldReads.ts"
export * from "./parking/ParkedStreams.ts"
export * from "./Projection.ts"
export * from "./ProjectionErrors.ts"
export * as ProjectionLayers from "./ProjectionLayers.ts"
export { ProjectionLimits } from "./ProjectionLimits.ts"
export { ProjectionHost, RunsProjections } from "./ProjectionHost.ts"
export * from "./Projections.ts"
export * as ProjectionTable from "./ProjectionTable.ts"
export * from "./rebuild/Rebuilds.ts"
export { type Options as ProjectionOptions, Projection, type Target, type WithServices } from "./TypedProjection.ts"
export * as Subscriptions from "./Subscriptions.ts"
export type { EventFrom, Events, Source } from "./TypedEvents.ts"
export * as MemoryProjectionStore from "./store/MemoryProjectionStore.ts"
export { ProjectionStore } from "./store/ProjectionStore.ts"
export * as Cursor from "./view/Cursor.ts"
export { LetOut } from "./view/LetOut.ts"
export * as ReplicaReads from "./view/ReplicaReads.ts"
export * as SqlView from "./view/SqlView.ts"
export * as ViewProjection from "./view/ViewProjection.ts"
export * from "./view/ViewQuery.ts"
export * as ViewToken from "./view/ViewToken.ts"
export * as SqlProjectionStore from "./store/SqlProjectionStore.ts"
