/** The catalog view's table, and what reads and writes its rows. */
import type { SqlClient } from "effect/sql"
import * as StreamId from "../../eventstore/StreamId.ts"
import type { Slot } from "../../projection/Projection.ts"
import * as ProjectionTable from "../../projection/ProjectionTable.ts"
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

/** A whole row as JSON. */
export interface Row {
  readonly category: string
  readonly id: string
  readonly version: number
  readonly position: string
  readonly withdrawn: boolean
  readonly state: unknown
}

export const row = ({ category, id, position, state }: CatalogEntry): Row => ({
  category,
  id,
  version: state.version,
  position: String(position),
  withdrawn: state.withdrawn,
  state
})

/** The rows of these streams. */
export const select = (sql: SqlClient.SqlClient, slot: Slot, streamIds: ReadonlyArray<string>) =>
  sql<Row>`SELECT category, id, version, "position"::text AS "position", withdrawn, state
    FROM ${CatalogViewTable.in(sql, slot)}
    WHERE (category, id) IN (
      SELECT split_part(stream_id, '-', 1), substr(stream_id, strpos(stream_id, '-') + 1)
      FROM unnest(${streamIds}::text[]) AS stream (stream_id)
    )
    ORDER BY category, id`

/** None of a category with a hyphen, which no text of both could tell from the id. */
export const idsAfter = (sql: SqlClient.SqlClient, slot: Slot, after: string | undefined, limit: number) =>
  sql<Pick<Row, "category" | "id">>`SELECT category, id FROM ${CatalogViewTable.in(sql, slot)}
    WHERE (category, id) > (${after === undefined ? "" : StreamId.category(after)},
      ${after === undefined ? "" : StreamId.id(after)}) AND strpos(category, '-') = 0
    ORDER BY category, id LIMIT ${limit}`

/** The live row of a stream, if it is still at this version. */
export const remove = (sql: SqlClient.SqlClient, streamId: string, version: number) =>
  sql`DELETE FROM ordinal.catalog_view
    WHERE category = ${StreamId.category(streamId)} AND id = ${StreamId.id(streamId)} AND version = ${version}
    RETURNING id`

/** Of the live table only rows that are still at version `over`, if that is given. */
export const upsert = (sql: SqlClient.SqlClient, slot: Slot, entries: ReadonlyArray<CatalogEntry>, over?: number) =>
  sql`
    INSERT INTO ${CatalogViewTable.in(sql, slot)} AS known (category, id, version, "position", withdrawn, state)
    SELECT category, id, version, "position", withdrawn, state
    FROM json_to_recordset(${JSON.stringify(entries.map(row))}::json)
      AS entry (category text, id text, version integer, "position" bigint, withdrawn boolean, state json)
    ORDER BY category, id
    ON CONFLICT (category, id) DO UPDATE SET
      version = excluded.version, "position" = excluded."position", withdrawn = excluded.withdrawn, state = excluded.state
    WHERE ${over === undefined ? sql`true` : sql`known.version = ${over}`}
    RETURNING id`
