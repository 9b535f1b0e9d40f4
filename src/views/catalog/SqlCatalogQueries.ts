/** Lists products and customers from `ordinal.catalog_view`. */
import { Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql"
import { Database } from "../../database/Database.ts"
import { tableName } from "../../database/SchemaName.ts"
import * as StreamId from "../../eventstore/StreamId.ts"
import type { ConsistencyToken } from "../../projection/consistency/ConsistencyToken.ts"
import { ProjectionProgress } from "../../projection/consistency/ProjectionProgress.ts"
import * as ParkedRows from "../../projection/parking/ParkedRows.ts"
import * as SqlView from "../../projection/view/SqlView.ts"
import type { CatalogCategory } from "./CatalogEntry.ts"
import { after, type CatalogList, CatalogQueries, page, readState } from "./CatalogQueries.ts"
import { CatalogViewProjection } from "./CatalogViewProjection.ts"
import * as Span from "../../telemetry/Span.ts"

interface Row {
  readonly id: string
  readonly state: unknown
}

/** Such a row was changed by hand, or a program was wrong: an audit shows how, and a repair puts it right. */
const unreadable = (sql: SqlClient.SqlClient, streamId: string) =>
  `The row of ${streamId} in ${tableName(sql, "ordinal.catalog_view")} can't be read; audit and repair that stream.`

export const make = Effect.gen(function* () {
  const { reads: sql } = yield* Database
  const progress = yield* ProjectionProgress

  const selectPage = <Category extends CatalogCategory>(
    query: CatalogList<Category>,
    after: string,
    token?: ConsistencyToken
  ) => {
    const { category, filter, limit } = query
    return SqlView.select<{ readonly items: ReadonlyArray<Row> }>(
      sql,
      CatalogViewProjection,
      sql`coalesce(p.items, '[]') AS items`,
      sql`CROSS JOIN (
        SELECT json_agg(json_build_object('id', v.id, 'state', v.state) ORDER BY v.id) AS items
        FROM (
          SELECT id, state FROM ordinal.catalog_view
          WHERE category = ${category} AND id > ${after}
            AND ${filter.withdrawn === undefined ? sql`true` : sql`withdrawn = ${filter.withdrawn}`}
          ORDER BY id LIMIT ${limit + 1}
        ) v
      ) p`,
      token
    )
  }

  const { answered, read } = SqlView.reader(sql, "the catalog view", CatalogViewProjection, progress)

  return CatalogQueries.of({
    list: Span.fn("CatalogQueries.list")(function* (query, token) {
      const key = yield* Effect.fromResult(after(query))
      const { freshness, row } = yield* read(selectPage(query, key, token), token)
      const found = row.items.map(({ id, state }) => ({ id, state: readState[query.category](state) }))
      for (const { id, state } of found) {
        if (state === undefined) yield* Effect.logError(unreadable(sql, `${query.category}-${id}`))
      }
      return page(query, found, freshness)
    }),
    parkedAt: (category, id) =>
      answered(ParkedRows.parkedAt(sql, CatalogViewProjection.name, StreamId.make(category, id))),
    position: progress.position(CatalogViewProjection),
    awaitPosition: (position) => progress.awaitPosition(CatalogViewProjection, position)
  })
})

export const layer = Layer.effect(CatalogQueries, make)
