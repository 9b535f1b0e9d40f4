/**
 * The projections of both views have this in common: a view keeps one row per stream, which is the fold of that stream;
 * a batch is one SELECT of the rows concerned, the fold in memory and one upsert, and an audit compares a row with the
 * fold of its stream.
 */
import { Array as Arr, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RecordedEvent } from "../eventstore/EventStore.ts"
import type { Batch, Projection, ProjectionAudit, Slot } from "../projection/Projection.ts"

type Sql<A> = Effect.Effect<A, SqlError.SqlError>

/** Describes a view by its fold and its statements. An entry is the content of a row; `Row` is a whole row as JSON. */
export interface View<Entry, Row extends { readonly version: number }> {
  /** Applies the stream's next event; throws, as on a defect, if it is another one. */
  readonly evolve: (entry: Entry | undefined, event: RecordedEvent) => Entry
  /** Moves an entry to an event's version and position without applying the event. */
  readonly skip: (entry: Entry, event: RecordedEvent) => Entry
  readonly row: (entry: Entry) => Row
  /** Reads the entries of these streams, by the id of their stream. */
  entries(sql: SqlClient.SqlClient, slot: Slot, streamIds: ReadonlyArray<string>): Sql<ReadonlyMap<string, Entry>>
  storedRow(sql: SqlClient.SqlClient, slot: Slot, streamId: string): Sql<Row | undefined>
  /** Lists streams that have a row, after one (`undefined`: from the first), in the order of the table's key. */
  streams: ProjectionAudit["streams"]
  /**
   * Writes entries; with `over` only over rows of that version, or where there is none. Answers the rows it wrote then.
   */
  upsert(
    sql: SqlClient.SqlClient,
    slot: Slot,
    entries: ReadonlyArray<Entry>,
    over?: number
  ): Sql<ReadonlyArray<unknown>>
  /** Deletes the live row of a stream if it is still at this version; answers the deleted row. */
  remove(sql: SqlClient.SqlClient, streamId: string, version: number): Sql<ReadonlyArray<unknown>>
}

/** After so many streams everything else in this process has its turn. */
const streamsAtOnce = 100

export type StreamEvents = readonly [streamId: string, events: Batch]

export const byStream = (events: Batch): ReadonlyArray<StreamEvents> =>
  Object.entries(Arr.groupBy(events, (event) => event.streamId))

export const make = <Entry, Row extends { readonly version: number }>(view: View<Entry, Row>) => {
  const fold = (entry: Entry | undefined, [first, ...rest]: Batch) =>
    rest.reduce(view.evolve, view.evolve(entry, first))

  const apply = Effect.fnUntraced(function* (
    sql: SqlClient.SqlClient,
    slot: Slot,
    streams: ReadonlyArray<StreamEvents>
  ) {
    const stored = yield* view.entries(
      sql,
      slot,
      streams.map(([streamId]) => streamId)
    )
    const entries: Array<Entry> = []
    for (const [index, [streamId, events]] of streams.entries()) {
      if (index > 0 && index % streamsAtOnce === 0) yield* Effect.yieldNow
      entries.push(fold(stored.get(streamId), events))
    }
    yield* view.upsert(sql, slot, entries)
  })

  /** A stream that has no row stays without one. */
  const skip: Projection["skip"] = Effect.fnUntraced(function* (sql, event, slot) {
    const entry = (yield* view.entries(sql, slot, [event.streamId])).get(event.streamId)
    if (entry !== undefined) yield* view.upsert(sql, slot, [view.skip(entry, event)])
  })

  const audit: ProjectionAudit = {
    row: (sql, streamId, slot) =>
      Effect.map(view.storedRow(sql, slot, streamId), (row) =>
        row === undefined ? undefined : { version: row.version, content: row }
      ),
    *contents(events) {
      let entry: Entry | undefined
      for (const event of events) yield view.row((entry = view.evolve(entry, event)))
    },
    streams: view.streams,
    // No row is at version 0: a row that is there is left alone.
    write: (sql, events, over = 0) =>
      Effect.map(view.upsert(sql, "live", [fold(undefined, events)], over), Arr.isReadonlyArrayNonEmpty),
    remove: (sql, streamId, over) => Effect.map(view.remove(sql, streamId, over), Arr.isReadonlyArrayNonEmpty)
  }

  return { apply, skip, audit }
}
