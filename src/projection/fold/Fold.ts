/**
 * `Projection.fold`: a projection whose rows are each the fold of one stream, and the queries of its rows. It is kept in
 * memory as well as in a database, audited, repaired and rebuilt like any other.
 */
import { Effect, type Duration, Option, Schema } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import { ProjectionBehind } from "../consistency/ConsistencyToken.ts"
import type { Projection } from "../Projection.ts"
import * as TypedEvents from "../TypedEvents.ts"
import { type Freshness, type InvalidCursor, readableRows, type TokenError } from "../view/ViewQuery.ts"
import * as ViewProjection from "../view/ViewProjection.ts"
import * as FoldFields from "./FoldFields.ts"
import * as FoldQuery from "./FoldQuery.ts"
import { FoldReads, type Readable } from "./FoldReads.ts"
import * as FoldRows from "./FoldRows.ts"

type RowSchema = Schema.Codec<object, object>

export interface Options<From extends TypedEvents.Source, Row extends RowSchema, Field extends string> {
  /** Increase it when a row of the same events becomes another one: the next start fills a new table, and then uses it. */
  readonly version: number
  /** The aggregates whose streams are folded, each into a row of its own; or names of categories, whose events nobody decodes. */
  readonly from: ReadonlyArray<From>
  /** It is given these types of events alone, by their tags. */
  readonly types?: ReadonlyArray<string>
  /** Rows are of this schema, of plain data. Each row is checked by it when it is written. */
  readonly row: Row
  /** Lists can be filtered and sorted by these fields of a row: texts, numbers or booleans. Each has an index. */
  readonly fields?: ReadonlyArray<Field>
  /** The table, with its schema; by default in the log's own one, named after the fold: `cards_rows`. */
  readonly table?: string
  /** Writes rows by their types alone, without the checks of their schema: for what was stored under other bounds. */
  readonly uncheckedRows?: boolean
  /**
   * Makes the row of what it was, null at first, and the stream's next event; null if there is to be none. It is pure, and
   * asks no clock: the time of an event is its `recordedAt`. If it throws, or makes no valid row, the stream is parked.
   */
  readonly evolve: (row: Row["Type"] | null, event: TypedEvents.EventFrom<From>) => Row["Type"] | null
}

/** A row can't be read by this program: another version of the projection made it, or somebody changed it by hand. */
export class RowUnreadable extends Schema.TaggedError<RowUnreadable>()(
  "RowUnreadable",
  { projection: Schema.String, streamId: Schema.String, madeBy: Schema.Int, retryAfter: Schema.Finite },
  { httpApiStatus: 503 }
) {
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
  ): Effect.Effect<Found<Row["Type"]>, FoldQuery.InvalidQuery | RowUnreadable | TokenError | DatabaseUnavailable>
  /**
   * Lists a page of rows. Fails with `InvalidQuery` if it can't be filtered or sorted so, with `InvalidCursor` if the cursor
   * is of another list, or else as `get` does; a row that can't be read is left out, and counted in `freshness.parked`.
   */
  list(
    ...asked: Asked<From, ListOptions<Row["Encoded"], Field>>
  ): Effect.Effect<
    Page<IdOf<From>, Row["Type"]>,
    FoldQuery.InvalidQuery | InvalidCursor | TokenError | DatabaseUnavailable
  >
  /** Waits until the rows contain what the token was given for; fails as `get` does. With `id`, also if it is parked before. */
  awaitToken(
    token: string,
    ...asked: Asked<From, Pick<ReadOptions, "wait"> & { readonly id?: IdOf<From> }>
  ): Effect.Effect<void, FoldQuery.InvalidQuery | TokenError | DatabaseUnavailable>
}

export interface Fold<From extends TypedEvents.Source, Row extends RowSchema, Field extends string> extends Readable {
  readonly fold: NonNullable<Projection["fold"]>
  readonly from: ReadonlyArray<From>
  /** What reads its rows, on the kernel that the program provides: `const cards = yield* Cards.queries`. */
  readonly queries: Effect.Effect<FoldQueries<From, Row, Field>, never, FoldReads>
}

const tableOf = (name: string): string => {
  if (/^[a-z][a-z0-9-]*$/.test(name)) return `ordinal.${name.replaceAll("-", "_")}_rows`
  throw new TypeError(`The fold "${name}" needs a \`table\`, as no table can be named after it.`)
}

/**
 * Makes a projection that keeps a row for each stream. Give it to the `projections` of a layer of `EventSourcing`, or run it
 * by `Projection.layer`; in memory too. Its rows are read by its `queries`.
 *
 * ```ts
 * const Cards = Projection.fold("cards", {
 *   version: 1,
 *   from: [GiftCards],
 *   row: Schema.Struct({ city: Schema.String, balance: Schema.Int }),
 *   fields: ["city", "balance"],
 *   evolve: (row, { event }) => {
 *     switch (event._tag) {
 *       case "Issued": return { city: event.city, balance: event.cents }
 *       case "Redeemed": return row && { ...row, balance: row.balance - event.cents }
 *     }
 *   }
 * })
 * const cards = yield* Cards.queries
 * const page = yield* cards.list({ filter: { city: "London" }, sort: "-balance", token })
 * ```
 *
 * Its name, version, `row` and `fields` stand for its table's content. Throws a `TypeError` if one of them is not valid.
 */
export const make = <
  const From extends TypedEvents.Source,
  Row extends RowSchema,
  const Field extends FoldFields.FieldOf<Row["Encoded"]> = never
>(
  name: string,
  options: Options<From, Row, Field>
): Fold<From, Row, Field> => {
  type Value = Row["Type"]
  type Entry = FoldRows.Entry<Value>
  const { from, types, version } = options
  const schema: Schema.Codec<Value, unknown> = options.row
  const decodeEvents = TypedEvents.decoder(from)
  const categories = TypedEvents.categoriesOf(from)
  const fields = FoldFields.make(name, schema, options.fields ?? [])
  const table = FoldRows.makeTable(options.table ?? tableOf(name), fields.values())
  // What is stored is read by its types alone: bounds of today do not judge it.
  const decode = Schema.decodeUnknownSync(schema, { disableChecks: true })
  const decodeOption = Schema.decodeUnknownOption(schema, { disableChecks: true })
  const encode = Schema.encodeSync(schema, { disableChecks: options.uncheckedRows === true })

  const evolve = (entry: Entry | undefined, recorded: RecordedEvent): Entry => {
    const { position, streamId, version } = recorded
    if (entry !== undefined && (types === undefined ? version !== entry.version + 1 : version <= entry.version)) {
      throw new Error(`The row of ${streamId} in ${name} has its event ${entry.version}; the next is not ${version}.`)
    }
    const [event] = decodeEvents([recorded])
    const row = options.evolve(entry?.read() ?? null, event)
    return { streamId, version, position, read: () => row }
  }
  const skip = (entry: Entry, { position, version }: RecordedEvent): Entry => ({ ...entry, version, position })

  const rows = FoldRows.make<Value>(table, { decode, encode })
  const { apply, audit, skip: skipEvent } = ViewProjection.make({ ...rows, evolve, skip })

  const inMemory = (known: unknown): Entry | undefined =>
    // Memory holds what was put there by this fold.
    known === undefined ? undefined : rows.entryOf(known as FoldRows.Stored)

  const fold: Fold<From, Row, Field> = {
    name,
    version,
    partition: "stream",
    categories,
    ...(types === undefined ? {} : { types }),
    from,
    fields,
    table,
    tables: table,
    handle: (sql, events, slot) => apply(sql, slot, events),
    ...(skipEvent === undefined ? {} : { skip: skipEvent }),
    audit,
    fold: {
      evolve: (known, event) => rows.row(evolve(inMemory(known), event)),
      skip: (known, event) => {
        const entry = inMemory(known)
        return entry && rows.row(skip(entry, event))
      }
    },
    queries: Effect.map(FoldReads, (reads) => queriesOf(reads))
  }

  const queriesOf = ({ reach, read }: FoldReads["Service"]): FoldQueries<From, Row, Field> => {
    /** Reads the row of one aggregate; fails if its stream is parked before what the token was given for. */
    const one = Effect.fnUntraced(function* (
      id: string,
      { category: asked, token, wait }: ReadOptions & { readonly category?: string } = {}
    ) {
      const category = yield* Effect.fromResult(FoldQuery.categoryOf(fold, asked))
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
      get: Effect.fn(`${name}.get`)(function* (id, ...[options]) {
        const {
          freshness,
          madeBy = version,
          parkedAt,
          rows: [found],
          streamId
        } = yield* one(id, options)
        // Of a stream that is parked at its first event there is nothing, which does not mean that there is no such stream.
        if (found === undefined && parkedAt !== undefined) return yield* ProjectionBehind.parked(parkedAt, parkedAt)
        const row = found && Option.getOrUndefined(decodeOption(found.state))
        if (found !== undefined && row === undefined) {
          return yield* new RowUnreadable({ projection: name, streamId, madeBy, retryAfter: 5 })
        }
        return { row, version: found?.version ?? 0, freshness, token: freshness.token }
      }),
      list: Effect.fn(`${name}.list`)(function* (...[options = {}]) {
        const { token, wait, ...request }: ReadOptions & FoldQuery.Request = options
        const selection = yield* Effect.fromResult(FoldQuery.parse(fold, request))
        const required = token === undefined ? undefined : yield* reach(fold, token, wait)
        const { freshness, rows } = yield* read(fold, selection, required)
        const page = FoldQuery.page(fold, selection, rows)
        const readable = readableRows(
          page.rows.map(({ id, state, version }) => {
            const row = Option.getOrUndefined(decodeOption(state))
            // The table has ids of these streams alone.
            return row && { id: id as IdOf<From>, version, row }
          }),
          freshness
        )
        for (const { id } of page.rows.length === readable.readable.length ? [] : page.rows) {
          if (readable.readable.every((row) => row.id !== id)) {
            yield* Effect.logError(
              `The row of ${selection.category}-${id} in ${name} can't be read; audit and repair that stream.`
            )
          }
        }
        return { ...page, rows: readable.readable, freshness: readable.freshness, token: freshness.token }
      }),
      awaitToken: Effect.fn(`${name}.awaitToken`)(function* (token, ...[options]) {
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
  }
  return fold
}
