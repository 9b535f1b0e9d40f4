/** This port lists products and customers; a page is made of the items found in the same way for every adapter. */
import { Context, type Effect, Result } from "effect"
import { CustomerState } from "../../catalog/Customer.ts"
import { ProductState } from "../../catalog/Product.ts"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { CatalogCategory, CatalogEntry, CatalogStates } from "./CatalogEntry.ts"
import type { ConsistencyToken } from "../../projection/consistency/ConsistencyToken.ts"
import {
  type Freshness,
  InvalidCursor,
  readableRows,
  readStored,
  type TokenError
} from "../../projection/view/ViewQuery.ts"
import * as Cursor from "../../projection/view/Cursor.ts"

export interface CatalogFilter {
  /**
   * `true` lists only withdrawn products or customers, `false` only those that are not withdrawn; without it, both are
   * listed.
   */
  readonly withdrawn?: boolean
}

export interface CatalogList<Category extends CatalogCategory> {
  readonly category: Category
  readonly filter: CatalogFilter
  /** The limit is in 1..100. */
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
  /** This is the cursor of the next page, bound to category and filter; it is absent on the last page. */
  readonly next?: string
  readonly freshness: Freshness
}

export class CatalogQueries extends Context.Service<
  CatalogQueries,
  {
    /**
     * Lists one page of products or customers, sorted by id. Fails with `InvalidCursor` if the cursor belongs to
     * another list.
     */
    list<Category extends CatalogCategory>(
      query: CatalogList<Category>,
      token?: ConsistencyToken
    ): Effect.Effect<CatalogPage<Category>, InvalidCursor | TokenError | DatabaseUnavailable>
    /**
     * Answers the position of the first event that the view does not have of a product or customer that is set aside.
     */
    parkedAt(category: CatalogCategory, id: string): Effect.Effect<bigint | undefined, DatabaseUnavailable>
    /** Answers the view's checkpoint as this process last saw it, without asking the database. */
    readonly position: Effect.Effect<bigint>
    /** Waits until the view's committed checkpoint is at `position` or beyond; the caller bounds the wait. */
    awaitPosition(position: bigint): Effect.Effect<bigint>
  }
>()("ordinal/views/catalog/CatalogQueries") {}

const boundTo = ({ category, filter }: CatalogList<CatalogCategory>) => [category, filter.withdrawn ?? null]

/** Gives the id after which the list goes on; "" at its beginning. */
export const after = (query: CatalogList<CatalogCategory>): Result.Result<string, InvalidCursor> => {
  if (query.cursor === undefined) return Result.succeed("")
  return Result.flatMap(Cursor.open(boundTo(query), query.cursor), ([id]) =>
    id === undefined ? Result.fail(new InvalidCursor({})) : Result.succeed(id)
  )
}

const product = readStored(ProductState.cases.Product)
const customer = readStored(CustomerState.cases.Customer)

/** Reads the state of a row, which somebody may have changed by hand; gives `undefined` if it is none. */
export const readState: {
  readonly [Category in CatalogCategory]: (state: unknown) => CatalogStates[Category] | undefined
} = {
  product: (state) => product(state, (state) => state),
  customer: (state) => customer(state, (state) => state)
}

/** A row was found with its key; `state` is undefined if the rest of it can't be read. */
export interface Found<Category extends CatalogCategory> {
  readonly id: string
  readonly state: CatalogStates[Category] | undefined
}

/** Makes a page of up to `limit + 1` rows that were found, in order. */
export const page = <Category extends CatalogCategory>(
  query: CatalogList<Category>,
  found: ReadonlyArray<Found<Category>>,
  freshness: Freshness
): CatalogPage<Category> => {
  const rows = found.slice(0, query.limit)
  const last = rows.at(-1)
  const hasMore = found.length > query.limit
  const { readable: items, ...told } = readableRows(
    rows.map(({ id, state }) => (state === undefined ? undefined : { id, state })),
    freshness
  )
  return {
    items,
    hasMore,
    ...(hasMore && last !== undefined ? { next: Cursor.seal(boundTo(query), [last.id]) } : {}),
    ...told
  }
}

export const matches = <Category extends CatalogCategory>(
  { category, filter }: CatalogList<Category>,
  entry: CatalogEntry
): entry is CatalogEntry<Category> & CatalogEntry =>
  entry.category === category && (filter.withdrawn === undefined || filter.withdrawn === entry.state.withdrawn)
