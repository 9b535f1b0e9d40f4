/**
 * Views that keep one row per stream, which is the fold of that stream, have this in common: a batch is one SELECT of the
 * rows of the streams that go on, the fold, and one upsert; and an audit compares a row with the fold of its stream.
 */
import { Array as Arr, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { Batch, Projection, ProjectionAudit, Slot } from "../Projection.ts"

type Sql<A> = Effect.Effect<A, SqlError.SqlError>

/** An entry as it is written. */
export interface Encoded<Entry> {
  readonly entry: Entry
  readonly version: number
  /** The size of its text. */
  readonly bytes: number
}

/**
 * Describes a view by its fold and its statements. An entry is the content of a row, `Written` is an entry as it is
 * written, and `Row` is a whole row as JSON.
 */
export interface View<Entry, Written extends Encoded<Entry>, Row extends { readonly version: number }> {
  /** Applies the stream's next event; throws, as on a defect, if it is another one. */
  readonly evolve: (entry: Entry | undefined, event: RecordedEvent) => Entry
  /** Moves an entry to an event's version and position without applying the event. */
  readonly skip: (entry: Entry, event: RecordedEvent) => Entry
  /** Gives the whole row; `undefined` if there is to be none. */
  readonly row: (entry: Entry) => Row | undefined
  /**
   * Encodes an entry for the place of the one before; `undefined` if the view has, or is known to have, none of the stream. `last`
   * is the stream's event that was applied last, if it was applied just now.
   */
  readonly encode: (entry: Entry, before: Entry | undefined, last?: RecordedEvent) => Written
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
    entries: ReadonlyArray<Written>,
    over?: number
  ): Sql<ReadonlyArray<unknown>>
  /** Deletes the live row of a stream if it is still at this version; answers the deleted row. */
  remove(sql: SqlClient.SqlClient, streamId: string, version: number): Sql<ReadonlyArray<unknown>>
}

/** After so many streams everything else in this process has its turn. */
const streamsAtOnce = 100

export type StreamEvents = readonly [streamId: string, events: Batch]

/** A group that `groupBy` makes has at least one event. */
export const byStream = (events: Batch): ReadonlyArray<StreamEvents> =>
  [...Map.groupBy(events, (event) => event.streamId)] as ReadonlyArray<
    readonly [string, ReadonlyArray<RecordedEvent>]
  > as ReadonlyArray<StreamEvents>

export const make = <Entry, Written extends Encoded<Entry>, Row extends { readonly version: number }>(
  view: View<Entry, Written, Row>
) => {
  const fold = (entry: Entry | undefined, [first, ...rest]: Batch) =>
    rest.reduce(view.evolve, view.evolve(entry, first))

  const applyTo = Effect.fnUntraced(function* (
    sql: SqlClient.SqlClient,
    slot: Slot,
    streams: ReadonlyArray<StreamEvents>
  ) {
    // The stream of a first event has no row.
    const goingOn = streams.flatMap(([streamId, [{ version }]]) => (version > 1 ? [streamId] : []))
    const stored = goingOn.length === 0 ? undefined : yield* view.entries(sql, slot, goingOn)
    const written: Array<Written> = []
    for (const [index, [streamId, events]] of streams.entries()) {
      if (index > 0 && index % streamsAtOnce === 0) yield* Effect.yieldNow
      const before = stored?.get(streamId)
      written.push(view.encode(fold(before, events), before, events.at(-1)))
    }
    yield* view.upsert(sql, slot, written)
  })

  /** Applies the streams of a batch, some of them after the others. */
  const apply = (
    sql: SqlClient.SqlClient,
    slot: Slot,
    events: Batch,
    chunked: (streams: ReadonlyArray<StreamEvents>) => Sql<ReadonlyArray<ReadonlyArray<StreamEvents>>> = (streams) =>
      Effect.succeed([streams])
  ) =>
    Effect.gen(function* () {
      for (const some of yield* chunked(byStream(events))) yield* applyTo(sql, slot, some)
    })

  /** A stream that has no row stays without one. */
  const skip: Projection["skip"] = Effect.fnUntraced(function* (sql, event, slot) {
    const entry = (yield* view.entries(sql, slot, [event.streamId])).get(event.streamId)
    if (entry !== undefined) yield* view.upsert(sql, slot, [view.encode(view.skip(entry, event), entry)])
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
      Effect.map(
        view.upsert(sql, "live", [view.encode(fold(undefined, events), undefined)], over),
        Arr.isReadonlyArrayNonEmpty
      ),
    remove: (sql, streamId, over) => Effect.map(view.remove(sql, streamId, over), Arr.isReadonlyArrayNonEmpty)
  }

  return { apply, skip, audit }
}
