/**
 * A projection: a read table that follows the log. A plain value; `ProjectionRunner` runs it.
 *
 * Its handler gets a batch and writes its table in a few statements, inside the runner's transaction, so that view and
 * checkpoint move together. It waits for nothing but SQL, and never asks a clock: every time in a view is an event's
 * `recordedAt`.
 */
import type { Array as Arr, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RecordedEvent } from "../eventlog/RecordedEvent.ts"
import { category } from "../eventlog/StreamId.ts"

export type Batch = Arr.NonEmptyReadonlyArray<RecordedEvent>

export interface Projection {
  readonly name: string
  /** Another version = another checkpoint: it starts from the beginning of the log. */
  readonly version: number
  /** `stream`: what it keeps of one stream does not depend on another, so that one can be set aside alone. */
  readonly partition: "stream" | "none"
  /** Categories of the streams it reads. Other events only move its checkpoint. */
  readonly categories: ReadonlyArray<string>
  /** If given, the only event types it reads. */
  readonly types?: ReadonlyArray<string>
  /** Events it handles, in log order, without gaps but for what is filtered. Anything but a SQL error is a defect. */
  handle(sql: SqlClient.SqlClient, events: Batch): Effect.Effect<void, SqlError.SqlError>
}

/** What names a checkpoint. */
export type ProjectionKey = Pick<Projection, "name" | "version">

export const handles = (projection: Projection, event: RecordedEvent): boolean =>
  projection.categories.includes(category(event.streamId)) &&
  (projection.types === undefined || projection.types.includes(event.type))
