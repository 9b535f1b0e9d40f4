/**
 * A projection: a read table that follows the log. A plain value; `ProjectionRunner` runs it.
 *
 * Its handler gets a batch and writes its table in a few statements, inside the runner's transaction, so that view and
 * checkpoint move together. It waits for nothing but SQL, and never asks a clock: every time in a view is an event's
 * `recordedAt`.
 */
import type { Array as Arr, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import { category } from "../eventstore/StreamId.ts"

export type Batch = Arr.NonEmptyReadonlyArray<RecordedEvent>

type Sql<A> = Effect.Effect<A, SqlError.SqlError>

/** Which of a projection's tables: the one that is read, or the one that a rebuild fills. */
export type Slot = "live" | "shadow"

/**
 * How its table is made, and a second one beside the one that serves: by `ProjectionTable` for a projection that has one
 * table. Every step runs inside a transaction of the kernel.
 */
export interface ProjectionTables {
  /** Of the live table, first, and of all others that it makes; they belong to one projection alone. */
  readonly names: readonly [string, ...ReadonlyArray<string>]
  /** Makes an empty table; the live one before the projection runs for the first time, unless it is there already. */
  create(sql: SqlClient.SqlClient, slot: Slot): Sql<unknown>
  /** Whether the live table is. */
  isEmpty(sql: SqlClient.SqlClient): Sql<boolean>
  /** Drops the shadow table, if there is one. */
  drop(sql: SqlClient.SqlClient): Sql<unknown>
  /** Puts the shadow table in place of the live one, which goes. */
  swap(sql: SqlClient.SqlClient): Sql<unknown>
}

/**
 * How the row of a stream is compared with the stream itself, and put right. A stream's id is text here: what stands in a
 * table, made by hand maybe, need not be one.
 */
export interface ProjectionAudit {
  /** The stored row as JSON, and the version of the stream it says it is of. */
  row(
    sql: SqlClient.SqlClient,
    streamId: string,
    slot: Slot
  ): Sql<{ readonly version: number; readonly content: unknown } | undefined>
  /** What the row should be after each of the events, which are a stream's from its first on. */
  contents(events: ReadonlyArray<RecordedEvent>): Iterable<unknown>
  /** The streams that have a row, in an order that stays, after one (`undefined`: from the first); at most so many. */
  streams(sql: SqlClient.SqlClient, slot: Slot, after: string | undefined, limit: number): Sql<ReadonlyArray<string>>
  /** Writes what it should be after these events over a row of version `over`, or where there is none; whether it did. */
  write(sql: SqlClient.SqlClient, events: Batch, over: number | undefined): Sql<boolean>
  /** Does away with a row of version `over`; whether it did. */
  remove(sql: SqlClient.SqlClient, streamId: string, over: number): Sql<boolean>
}

export interface Projection {
  readonly name: string
  /** A greater one = what is stored was made by other rules: it is built anew, beside what serves, and put in its place. */
  readonly version: number
  /** `stream`: what it keeps of one stream does not depend on another, so that one can be set aside alone. */
  readonly partition: "stream" | "none"
  /** Categories of the streams it reads. Other events only move its checkpoint. */
  readonly categories: ReadonlyArray<string>
  /** If given, the only event types it reads. */
  readonly types?: ReadonlyArray<string>
  /** Events it handles, in log order, without gaps but for what is filtered. Anything but a SQL error is a defect. */
  handle(sql: SqlClient.SqlClient, events: Batch, slot: Slot): Sql<void>
  /** Makes room for what follows an event that is dropped for good; without it, its stream just goes on after it. */
  skip?(sql: SqlClient.SqlClient, event: RecordedEvent, slot: Slot): Sql<void>
  /** Without them somebody else makes its table, and it can't be rebuilt beside what serves. */
  readonly tables?: ProjectionTables
  /** Without it nothing is audited. */
  readonly audit?: ProjectionAudit
}

export type ProjectionKey = Pick<Projection, "name" | "version">

/** What names a checkpoint: there is one per name and slot, of one version. */
export interface CheckpointKey extends ProjectionKey {
  readonly slot: Slot
}

export const handles = (projection: Projection, event: RecordedEvent): boolean =>
  projection.categories.includes(category(event.streamId)) &&
  (projection.types === undefined || projection.types.includes(event.type))
