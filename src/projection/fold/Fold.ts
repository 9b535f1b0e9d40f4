/**
 * `Projection.fold`: a projection whose rows are each the fold of one stream, and the queries of its rows. It is kept in
 * memory as well as in a database, audited, repaired and rebuilt like any other.
 */
import { Effect, Schema } from "effect"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import type { Projection } from "../Projection.ts"
import * as TypedEvents from "../TypedEvents.ts"
import * as ViewProjection from "../view/ViewProjection.ts"
import * as FoldFields from "./FoldFields.ts"
import * as FoldQueries from "./FoldQueries.ts"
import type { FoldReads, Readable } from "./FoldReads.ts"
import * as FoldRows from "./FoldRows.ts"

type RowSchema = FoldQueries.RowSchema

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

export interface Fold<From extends TypedEvents.Source, Row extends RowSchema, Field extends string> extends Readable {
  readonly fold: NonNullable<Projection["fold"]>
  readonly from: ReadonlyArray<From>
  /** What reads its rows, on the kernel that the program provides: `const cards = yield* Cards.queries`. */
  readonly queries: Effect.Effect<FoldQueries.FoldQueries<From, Row, Field>, never, FoldReads>
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
  const table = FoldRows.makeTable(options.table ?? tableOf(name), [...fields.values()])
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
    queries: Effect.suspend(() => FoldQueries.make<From, Row, Field>(fold, decodeOption))
  }
  return fold
}
