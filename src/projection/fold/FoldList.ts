/**
 * A list of a fold's rows, in the same way for every adapter: checks what is asked, and makes a page of the rows that were
 * found. The cursor is the sort key of the page's last row, bound to the query.
 */
import { Result, Schema } from "effect"
import * as Cursor from "../view/Cursor.ts"
import { InvalidCursor } from "../view/ViewQuery.ts"
import type { Field, Scalar } from "./FoldFields.ts"

/** The query asks for what this fold does not offer, in its filter, its sort or its category. */
export class InvalidQuery extends Schema.TaggedError<InvalidQuery>()("InvalidQuery", { problem: Schema.String }) {
  override get message() {
    return this.problem
  }
}

/** A list as it is asked for, which may come from anywhere. */
export interface Request {
  readonly category?: string | undefined
  readonly filter?: Readonly<Record<string, unknown>> | undefined
  readonly sort?: string | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** These rows are asked for, of one category. */
export interface Selection {
  readonly category: string
  /** Only the row of this id. */
  readonly id?: string
  /** Each of these fields has one of the values. */
  readonly filters: ReadonlyArray<{ readonly field: Field; readonly among: ReadonlyArray<Scalar> }>
  /** Rows are sorted by the field, then by their id. A row without a value in it is not listed. */
  readonly sort: { readonly field: Field | undefined; readonly isDescending: boolean }
  /** Only the rows behind this one. */
  readonly after?: { readonly value: Scalar | undefined; readonly id: string }
  readonly limit: number
}

/** A row as it is stored. */
export interface StoredRow {
  readonly id: string
  readonly version: number
  /** The row, encoded. */
  readonly state: unknown
}

/** What a query must know of its fold. */
export interface Listable {
  readonly name: string
  readonly categories: ReadonlyArray<string>
  readonly fields: ReadonlyMap<string, Field>
}

const isOfKind = ({ kind }: Field, value: unknown): value is Scalar =>
  kind === "text"
    ? typeof value === "string" && value.isWellFormed() && !value.includes("\0")
    : kind === "number"
      ? typeof value === "number" && !Number.isNaN(value)
      : typeof value === "boolean"

const refuse = (problem: string) => Result.fail(new InvalidQuery({ problem }))

/** Finds the category whose rows are asked for; a fold of one category needs none to be named. */
export const categoryOf = (
  { categories, name }: Listable,
  asked: string | undefined
): Result.Result<string, InvalidQuery> => {
  const [only, ...others] = categories
  if (asked === undefined && only !== undefined && others.length === 0) return Result.succeed(only)
  return asked !== undefined && categories.includes(asked)
    ? Result.succeed(asked)
    : refuse(`The rows of ${name} are of ${categories.join(" and ")}; say which as "category".`)
}

const filtersOf = (
  { fields, name }: Listable,
  filter: Readonly<Record<string, unknown>>
): Result.Result<Selection["filters"], InvalidQuery> => {
  const filters: Array<Selection["filters"][number]> = []
  for (const [key, asked] of Object.entries(filter)) {
    if (asked === undefined) continue
    const field = fields.get(key)
    if (field === undefined) {
      const known = [...fields.keys()].join(", ")
      return refuse(
        `A list of ${name} can't be filtered by "${key}"; ${known === "" ? "it has no fields" : `its fields are ${known}`}.`
      )
    }
    const among: ReadonlyArray<unknown> = Array.isArray(asked) ? asked : [asked]
    if (!among.every((value) => isOfKind(field, value))) {
      return refuse(`The filter "${key}" of ${name} takes a ${field.kind}, or a list of them.`)
    }
    filters.push({ field, among })
  }
  return Result.succeed(filters)
}

const sortOf = ({ fields, name }: Listable, sort: string): Result.Result<Selection["sort"], InvalidQuery> => {
  const isDescending = sort.startsWith("-")
  const by = isDescending ? sort.slice(1) : sort
  const field = fields.get(by)
  if (field !== undefined || by === "id") return Result.succeed({ field, isDescending })
  const known = ["id", ...fields.keys()].join(", ")
  return refuse(
    `A list of ${name} can't be sorted by "${sort}"; take one of ${known}, with "-" before it for the other direction.`
  )
}

const parsers: Readonly<Record<Field["kind"], (text: string) => Scalar>> = {
  text: (text) => text,
  number: Number,
  boolean: (text) => text === "true"
}

/** A filter means the same in whatever order it names its fields and values. */
const boundTo = ({ name }: Listable, { category, filters, sort }: Omit<Selection, "limit" | "after">) => [
  name,
  category,
  Object.fromEntries(filters.map(({ among, field }) => [field.name, [...new Set(among)].map(String).toSorted()])),
  `${sort.isDescending ? "-" : ""}${sort.field?.name ?? "id"}`
]

const keyOf = ({ sort }: Selection, { id, state }: StoredRow): ReadonlyArray<string> => {
  const value = sort.field && (state as Readonly<Record<string, Scalar>>)[sort.field.name]
  // Nothing separates the parts of a cursor but "|".
  return [id, ...(value === undefined ? [] : [String(value)])].map(encodeURIComponent)
}

const afterOf = (
  fold: Listable,
  selection: Omit<Selection, "limit" | "after">,
  cursor: string
): Result.Result<Selection["after"], InvalidCursor> =>
  Cursor.open(boundTo(fold, selection), cursor).pipe(
    // Somebody may have made the text of a cursor by hand.
    Result.flatMap((parts) =>
      Result.try({ try: () => parts.map(decodeURIComponent), catch: () => new InvalidCursor({}) })
    ),
    Result.flatMap(([id, text]) => {
      const { field } = selection.sort
      const value = field && text !== undefined ? parsers[field.kind](text) : undefined
      const isKey = field === undefined ? text === undefined : isOfKind(field, value)
      return id !== undefined && isKey ? Result.succeed({ id, value }) : Result.fail(new InvalidCursor({}))
    })
  )

const limitOf = (asked = 20): number => (Number.isNaN(asked) ? 20 : Math.min(Math.max(Math.trunc(asked), 1), 100))

/** Checks a list that is asked for. */
export const parse = (
  fold: Listable,
  { category, cursor, filter = {}, limit, sort = "id" }: Request
): Result.Result<Selection, InvalidQuery | InvalidCursor> =>
  Result.gen(function* () {
    const selection = {
      category: yield* categoryOf(fold, category),
      filters: yield* filtersOf(fold, filter),
      sort: yield* sortOf(fold, sort)
    }
    const after = cursor === undefined ? undefined : yield* afterOf(fold, selection, cursor)
    return { ...selection, limit: limitOf(limit), ...(after === undefined ? {} : { after }) }
  })

/** Cuts a page out of up to `limit + 1` rows that were found, in order; `next` is the cursor of the page after it. */
export const page = (fold: Listable, selection: Selection, found: ReadonlyArray<StoredRow>) => {
  const rows = found.slice(0, selection.limit)
  const last = rows.at(-1)
  const hasMore = found.length > rows.length
  return {
    rows,
    hasMore,
    ...(hasMore && last !== undefined ? { next: Cursor.seal(boundTo(fold, selection), keyOf(selection, last)) } : {})
  }
}
