/**
 * Entry point `ordinal/projection`: views of your own. A `Projection` is a value that says how events change its tables;
 * `Projections` tells how each one is doing, waits for consistency tokens, and rebuilds, audits and mends them.
 */
export { type Checkpoint, CheckpointMoved, CheckpointRefused } from "./Checkpoint.ts"
export * as ConsistencyToken from "./consistency/ConsistencyToken.ts"
export { InvalidToken, ProjectionBehind } from "./consistency/ConsistencyToken.ts"
export { ProjectionProgress, type ProjectionStatus } from "./consistency/ProjectionProgress.ts"
export * from "./Projection.ts"
export * from "./ProjectionErrors.ts"
export { ProjectionLimits } from "./ProjectionLimits.ts"
export * from "./Projections.ts"
export * as ProjectionTable from "./ProjectionTable.ts"
export { ProjectionBroken } from "./run/ProjectionBroken.ts"
export * as SqlProjections from "./SqlProjections.ts"
