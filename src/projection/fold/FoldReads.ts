/**
 * The port by which the rows of folds are read, together with how fresh they are, at one moment. The layers of
 * `EventSourcing` provide it: `SqlFoldReads` reads the table, and `MemoryFoldReads` what a kernel has in memory.
 */
import { Context, type Duration, Effect } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { EventStore } from "../../eventstore/EventStore.ts"
import type { ConsistencyToken } from "../consistency/ConsistencyToken.ts"
import { ProjectionProgress } from "../consistency/ProjectionProgress.ts"
import * as TokenWait from "../consistency/TokenWait.ts"
import type { Projection } from "../Projection.ts"
import type { ProjectionTable } from "../ProjectionTable.ts"
import type { Freshness, TokenError } from "../view/ViewQuery.ts"
import type { Listable, Selection, StoredRow } from "./FoldList.ts"

/** A projection whose rows are read here. */
export interface Readable extends Projection, Listable {
  readonly table: ProjectionTable
}

export interface Selected {
  /** At most `limit + 1` rows, in order. */
  readonly rows: ReadonlyArray<StoredRow>
  readonly freshness: Freshness
  /** This version of the projection made the rows; undefined if it has never run. */
  readonly madeBy: number | undefined
  /** If the stream that is asked for is parked, the first event that its row lacks is at this position. */
  readonly parkedAt: bigint | undefined
}

export class FoldReads extends Context.Service<
  FoldReads,
  {
    /** Waits until the rows contain what a token was given for; `read` verifies it. */
    reach(
      fold: Readable,
      token: string,
      wait?: Duration.Input
    ): Effect.Effect<ConsistencyToken, TokenError | DatabaseUnavailable>
    /** Reads rows, unless the token is not of this log, or they are older than it. */
    read(
      fold: Readable,
      selection: Selection,
      token?: ConsistencyToken
    ): Effect.Effect<Selected, TokenError | DatabaseUnavailable>
  }
>()("ordinal/projection/fold/FoldReads") {}

/** Makes `reach`, which is the same for every adapter. */
export const makeReach = Effect.gen(function* () {
  const log = yield* EventStore
  const progress = yield* ProjectionProgress
  const { logId } = yield* log.head
  const reach: FoldReads["Service"]["reach"] = (fold, token, wait) =>
    TokenWait.awaitIn(log, logId, {
      position: progress.position(fold),
      awaitPosition: (position) => progress.awaitPosition(fold, position)
    })(token, wait)
  return reach
})
