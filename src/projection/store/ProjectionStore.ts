/**
 * The port to what the kernel keeps of its consumers, which are projections and subscriptions: checkpoints with their
 * leases, parked streams, and the rows of views. `SqlProjectionStore` keeps it in the database, in one transaction with the
 * rows, and `MemoryProjectionStore` in memory. The runner, its batches and the retries of parked streams know this alone.
 *
 * Every adapter keeps this: the checkpoint moves only by compare-and-set, and what one transaction does happens or does not.
 */
import { Context, type Effect } from "effect"
import type { SqlError } from "effect/sql"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { Checkpoint, CheckpointMoved, ProjectionStopped, Stored } from "../Checkpoint.ts"
import type { InvalidToken } from "../consistency/ConsistencyToken.ts"
import type { Culprit } from "../parking/ParkedRows.ts"
import type { ParkedStream } from "../parking/ParkedStreams.ts"
import type { Batch, CheckpointKey, Consumer, Projection, ProjectionKey, Start } from "../Projection.ts"

type Unavailable = SqlError.SqlError | DatabaseUnavailable
type Sql<A> = Effect.Effect<A, Unavailable>
type Key = Pick<CheckpointKey, "name" | "slot">
/** An event's place in its stream and in the log. */
type Place = Pick<RecordedEvent, "position" | "version">

/** One connection to the store: its transactions are one after the other, or one inside the other. */
export interface ProjectionSession {
  /** Runs all or nothing; inside another transaction it is a savepoint. */
  transaction<A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | Unavailable, R>

  /** Reads a checkpoint; undefined if there is none. */
  stored(key: Key): Sql<Stored | undefined>
  /** Reads a checkpoint and locks it until the transaction ends. */
  lock(key: Key): Sql<Stored | undefined>
  /** Makes what the consumer needs before it runs for the first time on this log: its checkpoint, and its live table. */
  setUp(consumer: Consumer): Effect.Effect<void, ProjectionStopped | Unavailable>
  /** Moves the checkpoint from one event to another, in the caller's transaction, and renews the lease. */
  advance(
    key: CheckpointKey,
    owner: string,
    from: Pick<Checkpoint, "logId" | "position">,
    to: Pick<RecordedEvent, "eventId" | "position">,
    options: { readonly repeatable: boolean }
  ): Effect.Effect<
    { readonly head: bigint; readonly parked: number },
    CheckpointMoved | ProjectionStopped | Unavailable
  >
  /** Records why the consumer was stopped. */
  stop(key: CheckpointKey, problem: string): Sql<unknown>

  /** Takes or renews the lease; true if it is ours. */
  takeLease(key: CheckpointKey, owner: string): Sql<boolean>
  /** Renews the lease as long as nobody else has taken it. */
  renewLease(key: CheckpointKey, owner: string): Sql<boolean>
  releaseLease(key: CheckpointKey, owner: string): Sql<unknown>

  /** The rows of streams that are set aside; `ParkedRows` says what each of these does. */
  readonly parked: {
    among(key: Key, streamIds: ReadonlyArray<string>): Sql<ReadonlySet<string>>
    isSkipped(name: string, event: RecordedEvent): Sql<boolean>
    park(key: Key, culprit: Culprit): Sql<void>
    recordSkip(key: Key, culprit: Culprit): Sql<unknown>
    parkedAt(name: string, streamId: string): Sql<bigint | undefined>
    list(id?: string): Sql<ReadonlyArray<ParkedStream>>
    unknown(name: string): Sql<ReadonlyArray<string>>
    failsAt(id: string, culprit: Culprit): Sql<unknown>
    advance(id: string, place: Place): Sql<unknown>
    unpark(parked: ParkedStream): Sql<void>
  }

  /** Reads a page of a stream from version `from` on, up to position `upTo`. */
  ofStream(streamId: string, from: number, upTo: bigint, limit: number): Sql<ReadonlyArray<RecordedEvent>>
  /** Finds the first event after a position that the consumer handles, of a stream that is neither parked nor `except`. */
  nextOfOthers(
    consumer: Consumer,
    key: Key,
    after: bigint,
    except: ReadonlyArray<string>
  ): Sql<RecordedEvent | undefined>

  /** Applies events to the projection's rows, in the caller's transaction. */
  apply(projection: Projection, events: Batch, slot: CheckpointKey["slot"]): Sql<void>
  /** Prepares the projection's row for the events after one that is skipped. */
  skip(projection: Projection, event: RecordedEvent, slot: CheckpointKey["slot"]): Sql<void>
  /** Notes how far rows are that are kept elsewhere, as the last step of the caller's transaction. */
  reached(
    projection: Projection,
    slot: CheckpointKey["slot"],
    from: Pick<Checkpoint, "logId" | "position">,
    to: Pick<RecordedEvent, "eventId" | "position">
  ): Sql<void>
  /** Fails if rows that are kept elsewhere don't fit the checkpoint. Live ones that are gone are begun anew. */
  fit(
    consumer: Consumer,
    slot: CheckpointKey["slot"],
    checkpoint: Stored
  ): Effect.Effect<void, CheckpointMoved | ProjectionStopped | Unavailable>
  /** An older version made the live table: asks for a rebuild; true if none was asked for before. */
  requestRebuild(projection: Projection): Sql<boolean>
}

/** How far a consumer is, as any process can read it. What is absent is not there: a checkpoint, a rebuild, a problem. */
export interface ProjectionRow {
  readonly name: string
  readonly head: bigint
  readonly position: bigint
  readonly behind: number
  readonly lag: number
  readonly parked: number
  readonly version?: number
  readonly updatedAt?: string
  readonly problem?: string
  readonly paused?: boolean
  readonly logId: string
  readonly checkpointLogId?: string
  readonly isOfHistory: boolean
  readonly rebuildId?: string
  readonly rebuildProblem?: string
  readonly isBlocked: boolean
  /** The rebuild for the version of the projection was aborted. */
  readonly isGivenUp: boolean
}

export class ProjectionStore extends Context.Service<
  ProjectionStore,
  {
    /** Everybody in this process shares this session; each transaction waits for its turn. */
    readonly shared: ProjectionSession
    /** Runs `use` with a session of its own, which is thrown away afterwards, whatever state it is in. */
    withSession<A, E, R>(
      use: (session: ProjectionSession) => Effect.Effect<A, E, R>
    ): Effect.Effect<A, E | Unavailable, R>
    /** At most so many events are applied in one transaction. */
    readonly maxBatch: number
    /** Reads the live checkpoints that are of this log and its history. */
    readonly positions: Sql<ReadonlyArray<{ readonly projection: string; readonly position: bigint }>>
    /** Reads how far these consumers are, by name. */
    rows(consumers: ReadonlyArray<ProjectionKey>): Sql<ReadonlyArray<ProjectionRow>>
    setPaused(name: string, paused: boolean): Sql<unknown>
    /** Moves a subscription's checkpoint, and forgets the streams that were parked behind it. */
    rewind(name: string, to: Start): Effect.Effect<void, InvalidToken | Unavailable>
  }
>()("ordinal/projection/store/ProjectionStore") {}
