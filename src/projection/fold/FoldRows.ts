/**
 * The table of a fold, and the statements that read and write its rows: one for each stream that has one, as JSON, with
 * the fields for lists as columns beside it that the database fills.
 */
import { Effect } from "effect"
import type { SqlClient } from "effect/sql"
import * as StreamId from "../../eventstore/StreamId.ts"
import type { Slot } from "../Projection.ts"
import * as ProjectionTable from "../ProjectionTable.ts"
import type { Encoded, View } from "../view/ViewProjection.ts"
import { type Field, sqlType } from "./FoldFields.ts"

/** The content of a stream's row, as of one of its events. */
export interface Entry<Row> {
  readonly streamId: string
  /** The last event is of this version, at this position. */
  readonly version: number
  readonly position: bigint
  /** Gives null if the stream has no row, and throws if what is stored is none. */
  readonly read: () => Row | null
}

/** Holds a whole row as JSON. */
export interface Stored {
  readonly category: string
  readonly id: string
  readonly version: number
  readonly position: string
  readonly state: unknown
}

export const makeTable = (name: string, fields: ReadonlyArray<Field>): ProjectionTable.ProjectionTable => {
  const columns = fields.map(({ kind, name }) => {
    const type = `${sqlType[kind]}${kind === "text" ? ` COLLATE "C"` : ""}`
    return `"${name}" ${type} GENERATED ALWAYS AS ((state ->> '${name}')::${sqlType[kind]}) STORED,`
  })
  return ProjectionTable.make({
    name,
    columns: `
    category text COLLATE "C" NOT NULL,
    id text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    "position" bigint NOT NULL,
    state jsonb NOT NULL,
    ${columns.join("\n    ")}
    PRIMARY KEY (category, id)`,
    indexes: Object.fromEntries(fields.map(({ name }) => [`by_${name}`, `(category, "${name}", id)`])),
    storage: "fillfactor = 80"
  })
}

const streamOf = ({ category, id }: Pick<Stored, "category" | "id">) => `${category}-${id}`

export interface Written<Row> extends Encoded<Entry<Row>> {
  /** The row as JSON text; undefined if there is none. */
  readonly text: string | undefined
}

/** What the rows of a fold are: how they are read and written as JSON. */
export interface Codec<Row> {
  readonly decode: (state: unknown) => Row
  readonly encode: (row: Row) => unknown
}

export const make = <Row>({ in: table }: ProjectionTable.ProjectionTable, { decode, encode }: Codec<Row>) => {
  const textOf = (entry: Entry<Row>) => {
    const row = entry.read()
    return row === null ? undefined : JSON.stringify(encode(row))
  }

  const entryOf = (stored: Stored): Entry<Row> => ({
    streamId: streamOf(stored),
    version: stored.version,
    position: BigInt(stored.position),
    read: () => decode(stored.state)
  })

  const row = (entry: Entry<Row>): Stored | undefined => {
    const text = textOf(entry)
    if (text === undefined) return undefined
    const { position, streamId, version } = entry
    const [category, id] = [StreamId.category(streamId), StreamId.id(streamId)]
    return { category, id, version, position: String(position), state: JSON.parse(text) }
  }

  const select = (sql: SqlClient.SqlClient, slot: Slot, streamIds: ReadonlyArray<string>) =>
    sql<Stored>`SELECT category, id, version, "position"::text AS "position", state
      FROM ${table(sql, slot)}
      WHERE (category, id) IN (
        SELECT split_part(stream_id, '-', 1), substr(stream_id, strpos(stream_id, '-') + 1)
        FROM unnest(${streamIds}::text[]) AS stream (stream_id)
      )
      ORDER BY category, id`

  const removeAll = (sql: SqlClient.SqlClient, slot: Slot, gone: ReadonlyArray<Entry<Row>>, over?: number) =>
    gone.length === 0
      ? Effect.succeed([])
      : sql`DELETE FROM ${table(sql, slot)}
        WHERE (category, id) IN (
          SELECT split_part(stream_id, '-', 1), substr(stream_id, strpos(stream_id, '-') + 1)
          FROM unnest(${gone.map(({ streamId }) => streamId)}::text[]) AS stream (stream_id)
        ) AND ${over === undefined ? sql`true` : sql`version = ${over}`}
        RETURNING id`

  const put = (
    sql: SqlClient.SqlClient,
    slot: Slot,
    kept: ReadonlyArray<Written<Row> & { readonly text: string }>,
    over?: number
  ) =>
    kept.length === 0
      ? Effect.succeed([])
      : sql`
        INSERT INTO ${table(sql, slot)} AS known (category, id, version, "position", state)
        SELECT category, id, version, "position", state::jsonb
        FROM unnest(
          ${kept.map(({ entry }) => StreamId.category(entry.streamId))}::text[],
          ${kept.map(({ entry }) => StreamId.id(entry.streamId))}::text[],
          ${kept.map(({ version }) => version)}::integer[],
          ${kept.map(({ entry }) => entry.position)}::bigint[],
          ${kept.map(({ text }) => text)}::text[]
        ) AS entry (category, id, version, "position", state)
        ORDER BY category, id
        ON CONFLICT (category, id) DO UPDATE SET
          version = excluded.version, "position" = excluded."position", state = excluded.state
        ${over === undefined ? sql`` : sql`WHERE known.version = ${over} RETURNING id`}`

  const statements: Omit<View<Entry<Row>, Written<Row>, Stored>, "evolve" | "skip"> = {
    row,
    encode: (entry) => {
      const text = textOf(entry)
      return { entry, version: entry.version, bytes: text?.length ?? 0, text }
    },
    entries: (sql, slot, streamIds) =>
      Effect.map(select(sql, slot, streamIds), (rows) => new Map(rows.map((row) => [streamOf(row), entryOf(row)]))),
    storedRow: (sql, slot, streamId) => Effect.map(select(sql, slot, [streamId]), ([row]) => row),
    // Rows whose category has a hyphen were made by hand: nothing could tell its text from the id's.
    streams: (sql, slot, after, limit) =>
      sql<Pick<Stored, "category" | "id">>`SELECT category, id FROM ${table(sql, slot)}
        WHERE (category, id) > (${after === undefined ? "" : StreamId.category(after)},
          ${after === undefined ? "" : StreamId.id(after)}) AND strpos(category, '-') = 0
        ORDER BY category, id LIMIT ${limit}`.pipe(Effect.map((rows) => rows.map(streamOf))),
    upsert: Effect.fnUntraced(function* (sql, slot, written, over) {
      const kept = written.flatMap((one) => (one.text === undefined ? [] : [{ ...one, text: one.text }]))
      const gone = written.flatMap(({ entry, text }) => (text === undefined ? [entry] : []))
      return [...(yield* removeAll(sql, slot, gone, over)), ...(yield* put(sql, slot, kept, over))]
    }),
    remove: (sql, streamId, version) =>
      sql`DELETE FROM ${table(sql, "live")}
        WHERE category = ${StreamId.category(streamId)} AND id = ${StreamId.id(streamId)} AND version = ${version}
        RETURNING id`
  }

  return { ...statements, entryOf }
}
