/** Keeps `ordinal.catalog_view`, the lists of products and customers. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { Batch, Projection, ProjectionAudit, Slot } from "../../projection/Projection.ts"
import * as CatalogEntry from "./CatalogEntry.ts"
import * as CatalogViewRows from "./CatalogViewRows.ts"

type Entry = CatalogEntry.CatalogEntry

/** As it was written by this version of the projection: another shape would be another version. */
const entryOf = ({ category, id, position, state }: CatalogViewRows.Row): Entry =>
  ({ category, id, position: BigInt(position), state }) as Entry

const streamOf = ({ category, id }: Pick<CatalogViewRows.Row, "category" | "id">) => `${category}-${id}`

const handle = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, events: Batch, slot: Slot) {
  const streamIds = [...new Set(events.map((event) => event.streamId))]
  const entries = new Map<string, Entry>()
  for (const row of yield* CatalogViewRows.select(sql, slot, streamIds)) entries.set(streamOf(row), entryOf(row))
  for (const event of events) entries.set(event.streamId, CatalogEntry.evolve(entries.get(event.streamId), event))
  yield* CatalogViewRows.upsert(sql, slot, [...entries.values()])
})

/** It is then at the event's version without what the event says. One that is not there can't be helped so. */
const skip = Effect.fnUntraced(function* (sql: SqlClient.SqlClient, event: RecordedEvent, slot: Slot) {
  const [row] = yield* CatalogViewRows.select(sql, slot, [event.streamId])
  if (row === undefined) return
  const { state, ...entry } = entryOf(row)
  const skipped = { ...entry, state: { ...state, version: event.version }, position: event.position } as Entry
  yield* CatalogViewRows.upsert(sql, slot, [skipped])
})

function* fold(events: ReadonlyArray<RecordedEvent>) {
  let entry: Entry | undefined
  for (const event of events) yield (entry = CatalogEntry.evolve(entry, event))
}

const audit: ProjectionAudit = {
  row: (sql, streamId, slot) =>
    Effect.map(CatalogViewRows.select(sql, slot, [streamId]), ([row]) =>
      row === undefined ? undefined : { version: row.version, content: row }
    ),
  *contents(events) {
    for (const entry of fold(events)) yield CatalogViewRows.row(entry)
  },
  streams: (sql, slot, after, limit) =>
    Effect.map(CatalogViewRows.idsAfter(sql, slot, after, limit), (rows) => rows.map(streamOf)),
  remove: (sql, streamId, over) => Effect.map(CatalogViewRows.remove(sql, streamId, over), (rows) => rows.length > 0),
  write: (sql, events, over) => {
    const last = [...fold(events)].slice(-1)
    // Version 0: no row is, so one that is there is left alone.
    return Effect.map(CatalogViewRows.upsert(sql, "live", last, over ?? 0), (rows) => rows.length > 0)
  }
}

export const CatalogViewProjection: Projection = {
  name: "catalog-view",
  version: 1,
  partition: "stream",
  categories: CatalogEntry.categories,
  handle,
  skip,
  tables: CatalogViewRows.CatalogViewTable,
  audit
}
