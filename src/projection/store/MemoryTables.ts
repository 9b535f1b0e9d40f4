/**
 * Tables in memory with transactions, as far as `MemoryProjectionStore` needs them: a transaction writes on top of what is
 * committed, and either everything of it is laid down below at its end or nothing is. One transaction runs at a time.
 */
import { Context, Effect, Exit, Semaphore } from "effect"

export interface Table<Row> {
  readonly get: (key: string) => Row | undefined
  /** Puts a row in place of the one with its key; `undefined` deletes that one. */
  readonly set: (key: string, row: Row | undefined) => void
  /** Lists all rows by their keys. */
  readonly all: () => ReadonlyMap<string, Row>
}

interface Layered<Row> extends Table<Row> {
  /** Makes a table on top of this one. */
  readonly above: () => Layered<Row>
  /** Lays down below what was written here. */
  readonly commit: () => void
}

const makeTable = <Row>(below?: Layered<Row>): Layered<Row> => {
  const own = new Map<string, Row | undefined>()
  const put = (rows: Map<string, Row | undefined>, key: string, row: Row | undefined) => {
    if (row === undefined && below === undefined) rows.delete(key)
    else rows.set(key, row)
  }
  const table: Layered<Row> = {
    get: (key) => (own.has(key) ? own.get(key) : below?.get(key)),
    set: (key, row) => put(own, key, row),
    all: () => {
      const rows = new Map<string, Row>(below?.all())
      for (const [key, row] of own) {
        if (row === undefined) rows.delete(key)
        else rows.set(key, row)
      }
      return rows
    },
    above: () => makeTable(table),
    commit: () => {
      for (const [key, row] of own) below?.set(key, row)
    }
  }
  return table
}

export type Tables<Rows> = { readonly [Name in keyof Rows]: Table<Rows[Name]> }

export interface MemoryTables<Rows> {
  /** Reads what is committed, or what the transaction around it sees. */
  read<A>(look: (tables: Tables<Rows>) => A): Effect.Effect<A>
  /** Writes in the transaction around it, or else at once, when no transaction runs. */
  write<A>(change: (tables: Tables<Rows>) => A): Effect.Effect<A>
  /** Runs all or nothing; inside another transaction it is a savepoint. */
  transaction<A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R>
}

/** Tables by their names, each on top of another one or at the bottom. */
export type Layers = Readonly<Record<string, Layered<unknown>>>

/** Makes empty tables of these names. */
export const empty = (names: ReadonlyArray<string>): Layers =>
  Object.fromEntries(names.map((name) => [name, makeTable<unknown>()]))

const each = (layers: Layers, of: (table: Layered<unknown>) => Layered<unknown>): Layers =>
  Object.fromEntries(Object.entries(layers).map(([name, table]) => [name, of(table)]))

/** Makes tables on top of these. */
export const onTop = (layers: Layers): Layers => each(layers, (table) => table.above())

/** Lays down below what was written to these. */
export const layDown = (layers: Layers): void => Object.values(layers).forEach((table) => table.commit())

/** The transaction that a fiber is in: whose it is, and its tables. */
const Current = Context.Reference<{ readonly of: Layers; readonly layers: Layers } | undefined>(
  "ordinal/projection/store/MemoryTables/Current",
  { defaultValue: () => undefined }
)

/** Makes empty tables of these names. */
export const make = <Rows>(names: ReadonlyArray<keyof Rows & string>): MemoryTables<Rows> => {
  const committed = empty(names)
  const turn = Semaphore.makeUnsafe(1)
  const inside = Effect.map(Current, (current) => (current?.of === committed ? current.layers : undefined))
  // Each table holds what its name stands for.
  const typed = (layers: Layers) => layers as unknown as Tables<Rows>

  /** Runs on top of these, and commits if it succeeds. */
  const above = <A, E, R>(layers: Layers, self: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const own = onTop(layers)
      return self.pipe(
        Effect.provideService(Current, { of: committed, layers: own }),
        Effect.onExit((exit) =>
          Effect.sync(() => {
            if (Exit.isSuccess(exit)) layDown(own)
          })
        )
      )
    })

  return {
    read: (look) => Effect.map(inside, (layers) => look(typed(layers ?? committed))),
    write: (change) =>
      Effect.flatMap(inside, (layers) => {
        const now = Effect.sync(() => change(typed(layers ?? committed)))
        return layers === undefined ? Semaphore.withPermit(turn, now) : now
      }),
    transaction: (self) =>
      Effect.flatMap(inside, (layers) =>
        layers === undefined ? Semaphore.withPermit(turn, above(committed, self)) : above(layers, self)
      )
  }
}
