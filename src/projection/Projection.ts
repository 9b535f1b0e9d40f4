/**
 * A projection: a read table that follows the log. It is a plain value; `ProjectionRunner` runs it.
 *
 * Its handler gets a batch of events and writes its table in a few statements, inside the runner's transaction, so that
 * view and checkpoint move together. It waits for nothing but SQL, and never asks a clock: every time in a view is an
 * event's `recordedAt`.
 */
import { type Array as Arr, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import { category } from "../eventstore/StreamId.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import { type HandlerOverdue, type Retry, UnknownProjection } from "./ProjectionErrors.ts"

export type Batch = Arr.NonEmptyReadonlyArray<RecordedEvent>

type Sql<A> = Effect.Effect<A, SqlError.SqlError>

/** Names one of a projection's tables: the one that is read (live), or the one that a rebuild fills (shadow). */
export type Slot = "live" | "shadow"

/**
 * Creates, swaps and drops the tables of a projection; `ProjectionTable` makes this for a projection that has one
 * table. Every step runs inside a transaction of the kernel.
 */
export interface ProjectionTables {
  /** The names of the live table, first, and of all others that it creates; no other projection may use them. */
  readonly names: readonly [string, ...ReadonlyArray<string>]
  /** Creates an empty table; the live one before the projection runs for the first time, unless it is there already. */
  create(sql: SqlClient.SqlClient, slot: Slot): Sql<unknown>
  /**
   * Adds to the live table, which an older version made, what this version reads and that one does not know; in a
   * transaction of its own. Without it, an older table must be readable as it is.
   */
  complete?(sql: SqlClient.SqlClient): Sql<unknown>
  /** Tells whether the live table has no rows. */
  isEmpty(sql: SqlClient.SqlClient): Sql<boolean>
  /** Drops the shadow table, if there is one. */
  drop(sql: SqlClient.SqlClient): Sql<unknown>
  /** Puts the shadow table in place of the live one, which is dropped. */
  swap(sql: SqlClient.SqlClient): Sql<unknown>
}

/**
 * Tells what the row of a stream should be, so that it can be compared with the log and put right. A stream's id is
 * text here: a row that somebody wrote by hand may name a stream that can't exist.
 */
export interface ProjectionAudit {
  /** Reads the stored row as JSON, and the version of the stream that it claims to be of. */
  row(
    sql: SqlClient.SqlClient,
    streamId: string,
    slot: Slot
  ): Sql<{ readonly version: number; readonly content: unknown } | undefined>
  /** Gives the row as it should be after each of the events, which are a stream's from its first on. */
  contents(events: ReadonlyArray<RecordedEvent>): Iterable<unknown>
  /** Lists the streams that have a row, in a stable order, after one (`undefined`: from the first); at most `limit`. */
  streams(sql: SqlClient.SqlClient, slot: Slot, after: string | undefined, limit: number): Sql<ReadonlyArray<string>>
  /** Writes the row of these events over a row of version `over`, or where there is none; true if it did. */
  write(sql: SqlClient.SqlClient, events: Batch, over: number | undefined): Sql<boolean>
  /** Deletes a row of version `over`; true if it did. */
  remove(sql: SqlClient.SqlClient, streamId: string, over: number): Sql<boolean>
}

/** The row of a stream as the fold of its events, by which a projection runs in memory as well. */
export interface ProjectionFold {
  /** Applies the stream's next event to its row; `undefined` stands for no row. */
  evolve(row: unknown, event: RecordedEvent): unknown
  /** Moves a row to the version of an event without applying the event. */
  skip(row: unknown, event: RecordedEvent): unknown
}

/**
 * Rows that are not in the database of the log, so that they are no part of its transactions: they may be ahead of the
 * checkpoint, and are never behind it. What is written again, or late by a process that was deposed, must change nothing.
 */
export interface RowsElsewhere {
  /**
   * Notes beside the rows that they are written up to `to`: the last step of a transaction that moves the checkpoint from
   * `from`. Fails if the rows were not there, since an older copy was put in their place while the runner went on.
   */
  reached(
    sql: SqlClient.SqlClient,
    slot: Slot,
    from: { readonly logId: string; readonly position: bigint },
    to: { readonly position: bigint; readonly eventId: string | null }
  ): Sql<void>
  /** Compares that note with the checkpoint. If the rows are `gone`, they are made anew; a problem stops the projection. */
  compare(
    sql: SqlClient.SqlClient,
    slot: Slot,
    checkpoint: { readonly logId: string; readonly position: bigint }
  ): Sql<"fits" | "gone" | { readonly problem: string }>
}

/** The runner knows this of everything that it runs. */
interface Followed {
  /** Projections and subscriptions share their names: each has one of its own. */
  readonly name: string
  /** A greater version means other rules: the view is built anew, beside the one that serves, and put in its place. */
  readonly version: number
  /** `stream` means that the rows of one stream depend on no other stream, so that each stream can be parked alone. */
  readonly partition: "stream" | "none"
  /** The categories of the streams that it reads. Other events only move its checkpoint. */
  readonly categories: ReadonlyArray<string>
  /** The event types that the projection reads; without this, it reads all types of its categories. */
  readonly types?: ReadonlyArray<string>
}

export interface Projection extends Followed {
  /** Applies events in log order, without gaps but for what is filtered. Anything but a SQL error is a defect. */
  handle(sql: SqlClient.SqlClient, events: Batch, slot: Slot): Sql<void>
  /** Prepares the row for the events after one that is skipped for good. Without it, the next event is just applied. */
  skip?(sql: SqlClient.SqlClient, event: RecordedEvent, slot: Slot): Sql<void>
  /**
   * Creates, swaps and drops the projection's tables. Without this, somebody else has to create the table, and the
   * projection can't be rebuilt in a second one.
   */
  readonly tables?: ProjectionTables
  /** Without this nothing is audited. */
  readonly audit?: ProjectionAudit
  /** Without this the projection does not run in memory. */
  readonly fold?: ProjectionFold
  /** Without this its rows are in the database of the log. */
  readonly elsewhere?: RowsElsewhere
}

/** A subscription starts at the first event, behind the last one, or behind what a consistency token was given for. */
export type Start = "start" | "end" | (string & {})

/**
 * A durable consumer of the log that keeps no table; `Subscriptions` makes it. What it is given may have been given before.
 */
export interface Subscription extends Followed {
  /** Hands it events in the order of the log, outside of any transaction. */
  readonly deliver: (events: Batch) => Effect.Effect<void, SqlError.SqlError | Retry | HandlerOverdue>
  /** Runs before an attempt hands anything over: another process may have been handed events since. */
  readonly begin?: Effect.Effect<void>
  /** Runs beside an attempt, and is interrupted with it; the attempt ends if it does. */
  readonly beside?: Effect.Effect<unknown, SqlError.SqlError | DatabaseUnavailable | Retry>
  /** It needs no connection of its own. */
  readonly isShared?: boolean
  /** Its checkpoint is made there. */
  readonly start: Start
  /** It is given at most so many events at once. */
  readonly maxEvents: number
  /** And so many bytes of them, or a single event that is larger. */
  readonly maxBytes: number
}

/** Whatever follows the log with a checkpoint. */
export type Consumer = Projection | Subscription

export const isSubscription = (consumer: Consumer): consumer is Subscription => "deliver" in consumer

export type ProjectionKey = Pick<Projection, "name" | "version">

/** Names a checkpoint: there is one per name and slot, of one version. */
export interface CheckpointKey extends ProjectionKey {
  readonly slot: Slot
}

export const handles = (consumer: Consumer, event: RecordedEvent): boolean =>
  consumer.categories.includes(category(event.streamId)) &&
  (consumer.types === undefined || consumer.types.includes(event.type))

export const findProjection = <C extends Consumer>(
  consumers: ReadonlyArray<C>,
  name: string
): Effect.Effect<C, UnknownProjection> => {
  const projection = consumers.find((consumer) => consumer.name === name)
  return projection === undefined ? Effect.fail(new UnknownProjection({ name })) : Effect.succeed(projection)
}
