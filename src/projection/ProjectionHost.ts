/**
 * Runs projections and subscriptions in this process, unless another one on the same log runs them; the layers of
 * `EventSourcing` provide it. `Projections`, `Rebuilds`, `ParkedStreams` and `Audits` know what it runs.
 */
import { Context, type Effect, type Scope } from "effect"
import type { SqlError } from "effect/sql"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { ProjectionStopped } from "./Checkpoint.ts"
import type { Consumer } from "./Projection.ts"

/** Tells whether projections and subscriptions run in this process. If not, other processes on the same log must run them. */
export const RunsProjections = Context.Reference<boolean>("ordinal/projection/ProjectionHost/RunsProjections", {
  defaultValue: () => true
})

export class ProjectionHost extends Context.Service<
  ProjectionHost,
  {
    /**
     * Makes its checkpoint and its table, if there are none yet, and runs it until the scope closes, unless
     * `RunsProjections` is false. Fails with `ProjectionStopped` if its table has rows but no checkpoint says of what, or
     * if it can't start where it says; dies if its name or its table is taken.
     */
    run(
      consumer: Consumer
    ): Effect.Effect<void, ProjectionStopped | SqlError.SqlError | DatabaseUnavailable, Scope.Scope>
  }
>()("ordinal/projection/ProjectionHost") {}
