/** The lists of products and of customers from `ordinal.catalog_view`. */
import { Effect, Layer } from "effect"
import { Database } from "../../database/Database.ts"
import { orUnavailable, withinSeconds } from "../../database/SqlFailure.ts"
import * as StreamId from "../../eventstore/StreamId.ts"
import * as Checkpoint from "../../projection/Checkpoint.ts"
import * as ParkedStreams from "../../projection/parking/ParkedStreams.ts"
import { ProjectionProgress } from "../../projection/consistency/ProjectionProgress.ts"
import type { CatalogCategory } from "./CatalogEntry.ts"
import { after, type CatalogItem, type CatalogList, CatalogQueries, page } from "./CatalogQueries.ts"
import { CatalogViewProjection } from "./CatalogViewProjection.ts"

interface ListRow<Category extends CatalogCategory> extends Checkpoint.Lag {
  readonly items: ReadonlyArray<CatalogItem<Category>>
}

export const make = Effect.gen(function* () {
  const { reads: sql } = yield* Database
  const progress = yield* ProjectionProgress

  /** A page, and in the same snapshot how fresh it is. */
  const select = <Category extends CatalogCategory>(query: CatalogList<Category>, after: string) => {
    const { category, filter, limit } = query
    return sql<ListRow<Category>>`
      SELECT f."position", f.behind, f.lag, f.parked, coalesce(p.items, '[]') AS items
      FROM (${Checkpoint.lag(sql, CatalogViewProjection)}) f
      CROSS JOIN (
        SELECT json_agg(json_build_object('id', v.id, 'state', v.state) ORDER BY v.id) AS items
        FROM (
          SELECT id, state FROM ordinal.catalog_view
          WHERE category = ${category} AND id > ${after}
            AND ${filter.withdrawn === undefined ? sql`true` : sql`withdrawn = ${filter.withdrawn}`}
          ORDER BY id LIMIT ${limit + 1}
        ) v
      ) p`
  }

  return CatalogQueries.of({
    list: Effect.fn("CatalogQueries.list")(function* (query) {
      const key = yield* Effect.fromResult(after(query))
      const [row] = yield* select(query, key).pipe(orUnavailable, withinSeconds(6))
      if (row === undefined) return yield* Effect.die(new Error("the log has no head"))
      const { behind, items, lag, parked, position } = row
      return page(query, items, { position, behind, lag, parked })
    }),
    parkedAt: (category, id) =>
      ParkedStreams.parkedAt(sql, CatalogViewProjection.name, StreamId.make(category, id)).pipe(
        orUnavailable,
        withinSeconds(6)
      ),
    position: progress.position(CatalogViewProjection),
    awaitPosition: (position) => progress.awaitPosition(CatalogViewProjection, position)
  })
})

export const layer = Layer.effect(CatalogQueries, make)
