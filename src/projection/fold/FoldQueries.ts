/** Reads the rows of a fold: one aggregate's, or a page of a list, as fresh as the caller demands. */
import { type Duration, Effect, Option, Schema } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import * as Span from "../../telemetry/Span.ts"
import { ProjectionBehind } from "../consistency/ConsistencyToken.ts"
import type * as TypedEvents from "../TypedEvents.ts"
import { type Freshness, type InvalidCursor, readableRows, type TokenError } from "../view/ViewQuery.ts"
import * as FoldList from "./FoldList.ts"
import { FoldReads, type Readable } from "./FoldReads.ts"

export type RowSchema = Schema.Codec<object, object>

/** A row can't be read by this program: another version of the projection made it, or somebody changed it by hand. */
export class RowUnreadable extends Schema.TaggedError<RowUnreadable>()("RowUnreadable", {
  projection: Schema.String,
  streamId: Schema.String,
  madeBy: Schema.Int,
  retryAfter: Schema.Finite
}) {
  override get message() {
    return `The row of ${this.streamId} in ${this.projection}, of version ${this.madeBy}, is none that this program can read; if a rebuild is under way, try again in ${this.retryAfter} s, and otherwise audit and repair that stream.`
  }
}

type CategoryOf<From extends TypedEvents.Source> = From extends { readonly category: infer Category extends string }
  ? Category
  : From & string

type IdOf<From extends TypedEvents.Source> = From extends {
  readonly definition: { readonly id: { readonly Type: infer Id extends string } }
}
  ? Id
  : string

type IsUnion<A, All = A> = A extends unknown ? ([All] extends [A] ? false : true) : never

/** A fold of several aggregates must be told which one is asked for. */
type Asked<From extends TypedEvents.Source, Question> =
  IsUnion<CategoryOf<From>> extends true
    ? [asked: Question & { readonly category: CategoryOf<From> }]
    : [asked?: Question & { readonly category?: CategoryOf<From> }]

export interface ReadOptions {
  /** The answer contains what this consistency token was given for. */
  readonly token?: string
  /** The query waits so long for that; 2 s by default, 30 s at most. */
  readonly wait?: Duration.Input
}

export interface ListOptions<Encoded, Field extends string> extends ReadOptions {
  /** Each of these fields has this value, or one of these; they are given as they are stored, encoded. */
  readonly filter?: {
    readonly [Name in Field & keyof Encoded]?: NonNullable<Encoded[Name]> | ReadonlyArray<NonNullable<Encoded[Name]>>
  }
  /** By id unless it is said; then by the field, and by id among equals. Rows without a value in the field are left out. */
  readonly sort?: "id" | "-id" | Field | `-${Field}`
  /** A page has 1..100 rows, 20 by default. */
  readonly limit?: number
  /** The page follows the one whose `next` this is; `filter` and `sort` must be the same. */
  readonly cursor?: string
}

interface Answer {
  readonly freshness: Freshness
  /** A later query that is given this consistency token is at least as fresh as this one. */
  readonly token: string
}

export interface Found<Row> extends Answer {
  /** Undefined if the stream has none, or the projection has not got so far yet. */
  readonly row: Row | undefined
  /** The row is of this version of its stream; 0 if there is none. */
  readonly version: number
}

export interface Listed<Id, Row> {
  readonly id: Id
  readonly version: number
  readonly row: Row
}

export interface Page<Id, Row> extends Answer {
  readonly rows: ReadonlyArray<Listed<Id, Row>>
  readonly hasMore: boolean
  /** The cursor of the next page; absent on the last one. */
  readonly next?: string
}

export interface FoldQueries<From extends TypedEvents.Source, Row extends RowSchema, Field extends string> {
  /**
   * Reads the row of one aggregate. Fails with `InvalidToken` if the token is of another log: drop it; with
   * `ProjectionBehind` if the row does not contain it in time, or its stream is `parked`; with `RowUnreadable`.
   */
  get(
    id: IdOf<From>,
    ...asked: Asked<From, ReadOptions>
  ): Effect.Effect<Found<Row["Type"]>, FoldList.InvalidQuery | RowUnreadable | TokenError | DatabaseUnavailable>
  /**
   * Lists a page of rows. Fails with `InvalidQuery` if it can't be filtered or sorted so, with `InvalidCursor` if the cursor
   * is of another list, or else as `get` does; a row that can't be read is left out, and counted in `freshness.parked`.
   */
  list(
    ...asked: Asked<From, ListOptions<Row["Encoded"], Field>>
  ): Effect.Effect<
    Page<IdOf<From>, Row["Type"]>,
    FoldList.InvalidQuery | InvalidCursor | TokenError | DatabaseUnavailable
  >
  /** Waits until the rows contain what the token was given for; fails as `get` does. With `id`, also if it is parked before. */
  awaitToken(
    token: string,
    ...asked: Asked<From, Pick<ReadOptions, "wait"> & { readonly id?: IdOf<From> }>
  ): Effect.Effect<void, FoldList.InvalidQuery | TokenError | DatabaseUnavailable>
}

/** `decode` reads a row as it is stored; none if it is of another shape. */
export const make = Effect.fnUntraced(function* <
  From extends TypedEvents.Source,
  Row extends RowSchema,
  Field extends string
>(
  fold: Readable,
  decode: (state: unknown) => Option.Option<Row["Type"]>
): Effect.fn.Return<FoldQueries<From, Row, Field>, never, FoldReads> {
  const { reach, read } = yield* FoldReads

  /** Reads the row of one aggregate; fails if its stream is parked before what the token was given for. */
  const one = Effect.fnUntraced(function* (
    id: string,
    { category: asked, token, wait }: ReadOptions & { readonly category?: string } = {}
  ) {
    const category = yield* Effect.fromResult(FoldList.categoryOf(fold, asked))
    const required = token === undefined ? undefined : yield* reach(fold, token, wait)
    const selection = { category, id, filters: [], sort: { field: undefined, isDescending: false }, limit: 1 }
    const selected = yield* read(fold, selection, required)
    const { parkedAt } = selected
    if (parkedAt !== undefined && required !== undefined && required.position >= parkedAt) {
      return yield* ProjectionBehind.parked(required.position, parkedAt)
    }
    return { ...selected, streamId: `${category}-${id}` }
  })

  return {
    get: Span.fn("Fold.get")(function* (id, ...[options]) {
      const {
        freshness,
        madeBy = fold.version,
        parkedAt,
        rows: [found],
        streamId
      } = yield* one(id, options)
      // Of a stream that is parked at its first event there is nothing, which does not mean that there is no such stream.
      if (found === undefined && parkedAt !== undefined) return yield* ProjectionBehind.parked(parkedAt, parkedAt)
      const row = found && Option.getOrUndefined(decode(found.state))
      if (found !== undefined && row === undefined) {
        return yield* new RowUnreadable({ projection: fold.name, streamId, madeBy, retryAfter: 5 })
      }
      return { row, version: found?.version ?? 0, freshness, token: freshness.token }
    }),
    list: Span.fn("Fold.list")(function* (...[options = {}]) {
      const { token, wait, ...request }: ReadOptions & FoldList.Request = options
      const selection = yield* Effect.fromResult(FoldList.parse(fold, request))
      const required = token === undefined ? undefined : yield* reach(fold, token, wait)
      const { freshness, rows } = yield* read(fold, selection, required)
      const page = FoldList.page(fold, selection, rows)
      const readable = readableRows(
        page.rows.map(({ id, state, version }) => {
          const row = Option.getOrUndefined(decode(state))
          // The table has ids of these streams alone.
          return row && { id: id as IdOf<From>, version, row }
        }),
        freshness
      )
      for (const { id } of page.rows.length === readable.readable.length ? [] : page.rows) {
        if (readable.readable.every((row) => row.id !== id)) {
          yield* Effect.logError(
            `The row of ${selection.category}-${id} in ${fold.name} can't be read; audit and repair that stream.`
          )
        }
      }
      return { ...page, rows: readable.readable, freshness: readable.freshness, token: freshness.token }
    }),
    awaitToken: Span.fn("Fold.awaitToken")(function* (token, ...[options]) {
      const {
        category,
        id = "",
        wait
      }: ReadOptions & { readonly id?: string; readonly category?: string } = options ?? {}
      yield* one(id, {
        token,
        ...(category === undefined ? {} : { category }),
        ...(wait === undefined ? {} : { wait })
      })
    })
  }
})
