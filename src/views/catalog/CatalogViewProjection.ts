/** Keeps `ordinal.catalog_view`, which has a row per product and per customer. */
import type { Projection } from "../../projection/Projection.ts"
import * as ViewProjection from "../../projection/view/ViewProjection.ts"
import * as CatalogEntry from "./CatalogEntry.ts"
import * as CatalogViewRows from "./CatalogViewRows.ts"

type Entry = CatalogEntry.CatalogEntry

const { apply, audit, skip } = ViewProjection.make<Entry, CatalogViewRows.Written, CatalogViewRows.Row>({
  evolve: CatalogEntry.evolve,
  skip: ({ state, ...entry }, { position, version }) => ({ ...entry, state: { ...state, version }, position }) as Entry,
  ...CatalogViewRows
})

export const CatalogViewProjection: Projection = {
  name: "catalog-view",
  version: 1,
  partition: "stream",
  categories: CatalogEntry.categories,
  handle: (sql, events, slot) => apply(sql, slot, events),
  skip,
  tables: CatalogViewRows.CatalogViewTable,
  audit
}
