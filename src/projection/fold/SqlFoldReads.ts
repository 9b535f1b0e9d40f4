/** Reads the rows of folds from their tables, with one statement for each query, on a connection of the reads pool. */
import { Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql"
import { Database } from "../../database/Database.ts"
import type { ConsistencyToken } from "../consistency/ConsistencyToken.ts"
import { ProjectionProgress } from "../consistency/ProjectionProgress.ts"
import * as SqlView from "../view/SqlView.ts"
import { type Field, type Scalar, sqlType } from "./FoldFields.ts"
import type { Selection, StoredRow } from "./FoldList.ts"
import { FoldReads, makeReach, type Readable } from "./FoldReads.ts"

interface Columns {
  readonly rows: ReadonlyArray<StoredRow>
  readonly madeBy: number | null
  readonly parkedAt: bigint | null
}

export const select = (
  sql: SqlClient.SqlClient,
  fold: Readable,
  { after, category, filters, id, limit, sort }: Selection,
  token?: ConsistencyToken
) => {
  const column = ({ name }: Field) => sql`v.${sql(name)}`
  const valueOf = ({ kind }: Field, value: Scalar) => sql`${value}::${sql.literal(sqlType[kind])}`
  const conditions = filters.map(({ among: [only, ...others], field }) =>
    only !== undefined && others.length === 0
      ? sql`${column(field)} = ${valueOf(field, only)}`
      : sql`${column(field)} = ANY(${only === undefined ? [] : [only, ...others]}::${sql.literal(sqlType[field.kind])}[])`
  )
  if (id !== undefined) conditions.push(sql`v.id = ${id}`)
  if (sort.field !== undefined) conditions.push(sql`${column(sort.field)} IS NOT NULL`)
  const keys = [...(sort.field === undefined ? [] : [column(sort.field)]), sql`v.id`]
  if (after !== undefined) {
    const { field } = sort
    const last = [
      ...(field === undefined || after.value === undefined ? [] : [valueOf(field, after.value)]),
      sql`${after.id}`
    ]
    conditions.push(
      sql`(${sql.join(", ", false)(keys)}) ${sql.literal(sort.isDescending ? "<" : ">")} (${sql.join(", ", false)(last)})`
    )
  }
  const ordering = sql.join(", ", false)(keys.map((key) => (sort.isDescending ? sql`${key} DESC` : key)))
  const parkedAt =
    id === undefined
      ? sql`NULL::bigint`
      : sql`(SELECT p."position" FROM ordinal.parked_streams p
          WHERE p.projection = ${fold.name} AND p.slot = 'live' AND p.parked AND p.stream_id = ${`${category}-${id}`})`
  return SqlView.select<Columns>(
    sql,
    fold,
    sql`${parkedAt} AS "parkedAt", coalesce(p.rows, '[]') AS rows,
      (SELECT c.version FROM ordinal.checkpoints c WHERE c.projection = ${fold.name} AND c.slot = 'live') AS "madeBy"`,
    sql`CROSS JOIN (
      SELECT json_agg(json_build_object('id', v.id, 'version', v.version, 'state', v.state) ORDER BY ${ordering}) AS rows
      FROM (
        SELECT v.* FROM ${fold.table.in(sql, "live")} v
        WHERE ${sql.and([sql`v.category = ${category}`, ...conditions])}
        ORDER BY ${ordering} LIMIT ${limit + 1}
      ) v
    ) p`,
    token
  )
}

const make = Effect.gen(function* () {
  const { reads: sql } = yield* Database
  const progress = yield* ProjectionProgress
  const readers = new Map<string, ReturnType<typeof SqlView.reader>>()

  /** One for each fold, since it remembers what it has answered. */
  const readerOf = (fold: Readable) => {
    const known = readers.get(fold.name)
    if (known !== undefined) return known
    const reader = SqlView.reader(sql, `the rows of ${fold.name}`, fold, progress)
    readers.set(fold.name, reader)
    return reader
  }

  return FoldReads.of({
    reach: yield* makeReach,
    read: (fold, selection, token) =>
      Effect.map(
        readerOf(fold).read(select(sql, fold, selection, token), token),
        ({ freshness, row: { madeBy, parkedAt, rows } }) => ({
          rows,
          freshness,
          madeBy: madeBy ?? undefined,
          parkedAt: parkedAt ?? undefined
        })
      )
  })
})

export const layer = Layer.effect(FoldReads, make)
