/** Defines the table of the catalog view, and the statements that read and write its rows. */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import * as StreamId from "../../eventstore/StreamId.ts"
import type { Slot } from "../../projection/Projection.ts"
import * as ProjectionTable from "../../projection/ProjectionTable.ts"
import type { Encoded } from "../../projection/view/ViewProjection.ts"
import type { CatalogEntry } from "./CatalogEntry.ts"

export const CatalogViewTable = ProjectionTable.make({
  name: "ordinal.catalog_view",
  columns: `
    category text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    "position" bigint NOT NULL,
    withdrawn boolean NOT NULL,
    state json NOT NULL,
    PRIMARY KEY (category, id)`,
  indexes: { withdrawn: "(category, withdrawn, id)" }
})

const table = CatalogViewTable.in

/** Holds a whole row as JSON. */
export interface Row {
  readonly category: string
  readonly id: string
  readonly version: number
  readonly position: string
  readonly withdrawn: boolean
  readonly state: unknown
}

const streamOf = ({ category, id }: Pick<Row, "category" | "id">) => `${category}-${id}`

/** Makes the row that an entry should have. */
export const row = ({ category, id, position, state }: CatalogEntry): Row => ({
  category,
  id,
  version: state.version,
  position: String(position),
  withdrawn: state.withdrawn,
  state
})

const select = (sql: SqlClient.SqlClient, slot: Slot, streamIds: ReadonlyArray<string>) =>
  sql<Row>`SELECT category, id, version, "position"::text AS "position", withdrawn, state
    FROM ${table(sql, slot)}
    WHERE (category, id) IN (
      SELECT split_part(stream_id, '-', 1), substr(stream_id, strpos(stream_id, '-') + 1)
      FROM unnest(${streamIds}::text[]) AS stream (stream_id)
    )
    ORDER BY category, id`

export const entries = (sql: SqlClient.SqlClient, slot: Slot, streamIds: ReadonlyArray<string>) =>
  Effect.map(select(sql, slot, streamIds), (rows) => {
    // This version of the projection wrote it: a state of another shape would be another version's.
    const entryOf = ({ category, id, position, state }: Row) =>
      ({ category, id, position: BigInt(position), state }) as CatalogEntry
    return new Map(rows.map((row) => [streamOf(row), entryOf(row)]))
  })

export const storedRow = (sql: SqlClient.SqlClient, slot: Slot, streamId: string) =>
  Effect.map(select(sql, slot, [streamId]), ([row]) => row)

/** Leaves out rows whose category has a hyphen, made by hand: nothing could tell its text from the id's. */
export const streams = (sql: SqlClient.SqlClient, slot: Slot, after: string | undefined, limit: number) =>
  sql<Pick<Row, "category" | "id">>`SELECT category, id FROM ${table(sql, slot)}
    WHERE (category, id) > (${after === undefined ? "" : StreamId.category(after)},
      ${after === undefined ? "" : StreamId.id(after)}) AND strpos(category, '-') = 0
    ORDER BY category, id LIMIT ${limit}`.pipe(Effect.map((rows) => rows.map(streamOf)))

export interface Written extends Encoded<CatalogEntry> {
  readonly row: string
}

export const encode = (entry: CatalogEntry): Written => {
  const text = JSON.stringify(row(entry))
  return { entry, version: entry.state.version, bytes: text.length, row: text }
}

export const upsert = (sql: SqlClient.SqlClient, slot: Slot, entries: ReadonlyArray<Written>, over?: number) =>
  sql`
    INSERT INTO ${table(sql, slot)} AS known (category, id, version, "position", withdrawn, state)
    SELECT category, id, version, "position", withdrawn, state
    FROM json_to_recordset(${`[${entries.map(({ row }) => row)}]`}::json)
      AS entry (category text, id text, version integer, "position" bigint, withdrawn boolean, state json)
    ORDER BY category, id
    ON CONFLICT (category, id) DO UPDATE SET
      version = excluded.version, "position" = excluded."position", withdrawn = excluded.withdrawn, state = excluded.state
    ${over === undefined ? sql`` : sql`WHERE known.version = ${over} RETURNING id`}`

export const remove = (sql: SqlClient.SqlClient, streamId: string, version: number) =>
  sql`DELETE FROM ordinal.catalog_view
    WHERE category = ${StreamId.category(streamId)} AND id = ${StreamId.id(streamId)} AND version = ${version}
    RETURNING id`
