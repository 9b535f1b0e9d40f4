/** The lists of products and of customers, by id. */
import { Context, type Effect, Result } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { CatalogCategory, CatalogEntry, CatalogStates } from "./CatalogEntry.ts"
import { type Freshness, InvalidCursor } from "../ViewQuery.ts"
import * as Cursor from "../Cursor.ts"

export interface CatalogFilter {
  /** `true`: only those that were withdrawn, `false`: only those that were not. */
  readonly withdrawn?: boolean
}

export interface CatalogList<Category extends CatalogCategory> {
  readonly category: Category
  readonly filter: CatalogFilter
  /** 1..100. */
  readonly limit: number
  readonly cursor?: string
}

export interface CatalogItem<Category extends CatalogCategory> {
  readonly id: string
  readonly state: CatalogStates[Category]
}

export interface CatalogPage<Category extends CatalogCategory> {
  readonly items: ReadonlyArray<CatalogItem<Category>>
  readonly hasMore: boolean
  /** Cursor of the next page, which is bound to category and filter. Absent on the last one. */
  readonly next?: string
  readonly freshness: Freshness
}

export class CatalogQueries extends Context.Service<
  CatalogQueries,
  {
    list<Category extends CatalogCategory>(
      query: CatalogList<Category>
    ): Effect.Effect<CatalogPage<Category>, InvalidCursor | DatabaseUnavailable>
    /** Where the list ends for this one if it is set aside: the position of its first event that the view does not have. */
    parkedAt(category: CatalogCategory, id: string): Effect.Effect<bigint | undefined, DatabaseUnavailable>
    /** The view's checkpoint as this process last saw it. */
    readonly position: Effect.Effect<bigint>
    /** Waits until the view's committed checkpoint is at `position` or beyond. Bounded by the caller. */
    awaitPosition(position: bigint): Effect.Effect<bigint>
  }
>()("ordinal/views/catalog/CatalogQueries") {}

const boundTo = ({ category, filter }: CatalogList<CatalogCategory>) => [category, filter.withdrawn ?? null]

/** The id after which the list goes on; "" at its beginning. */
export const after = (query: CatalogList<CatalogCategory>): Result.Result<string, InvalidCursor> => {
  if (query.cursor === undefined) return Result.succeed("")
  return Result.flatMap(Cursor.open(boundTo(query), query.cursor), ([id]) =>
    id === undefined ? Result.fail(new InvalidCursor()) : Result.succeed(id)
  )
}

/** `found`: up to `limit + 1` of them in order. */
export const page = <Category extends CatalogCategory>(
  query: CatalogList<Category>,
  found: ReadonlyArray<CatalogItem<Category>>,
  freshness: Freshness
): CatalogPage<Category> => {
  const items = found.slice(0, query.limit)
  const last = items.at(-1)
  const hasMore = found.length > query.limit
  return {
    items,
    hasMore,
    ...(hasMore && last !== undefined ? { next: Cursor.seal(boundTo(query), [last.id]) } : {}),
    freshness
  }
}

export const matches = <Category extends CatalogCategory>(
  { category, filter }: CatalogList<Category>,
  entry: CatalogEntry
): entry is CatalogEntry<Category> & CatalogEntry =>
  entry.category === category && (filter.withdrawn === undefined || filter.withdrawn === entry.state.withdrawn)
