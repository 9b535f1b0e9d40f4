/** Where the laws of a projection keep its rows: in the tables of a database, or in memory. */
import { Effect } from "effect"
import { isReadonlyArrayNonEmpty } from "effect/Array"
import { SqlClient, type SqlError } from "effect/sql"
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import { handles, type Projection, type Slot } from "../../projection/Projection.ts"
import type { WithServices } from "../../projection/TypedProjection.ts"

export type Sql<A> = Effect.Effect<A, SqlError.SqlError>
export type Rows = ReadonlyArray<unknown>
export type Events = ReadonlyArray<RecordedEvent>

export interface Place {
  readonly projection: Pick<Projection, "name" | "audit">
  handles(event: RecordedEvent): boolean
  empty(slot: Slot): Sql<unknown>
  /** Applies a batch in a transaction, which is lost at its end if `isLost`. */
  apply(events: Events, slot: Slot, isLost?: boolean): Sql<void>
  /** The rows that serve, in an order of their own. */
  readonly rows: Sql<Rows>
  /** Puts the shadow in place of what serves. */
  readonly swap: Sql<unknown>
  /** The row of a stream as an audit reads it; undefined if there is none. */
  content(streamId: string): Sql<unknown>
}

/** The tables in the database are the test's own: they are emptied. */
export const inDatabase = Effect.fnUntraced(function* <R>(
  projection: WithServices<R>
): Effect.fn.Return<Place, never, SqlClient.SqlClient | R> {
  const sql = yield* SqlClient.SqlClient
  const context = yield* Effect.context<R>()
  const { audit, name, tables } = projection
  if (tables === undefined) return yield* Effect.die(new TypeError(`The projection ${name} has no tables.`))
  const consumer: Projection = {
    ...projection,
    handle: (...given) => Effect.provide(projection.handle(...given), context)
  }
  return {
    projection,
    handles: (event) => handles(consumer, event),
    empty: (slot) =>
      Effect.gen(function* () {
        yield* tables.drop(sql)
        yield* tables.create(sql, "shadow")
        if (slot === "live") {
          yield* tables.create(sql, "live")
          yield* tables.swap(sql)
        }
      }).pipe(sql.withTransaction),
    apply: Effect.fnUntraced(function* (events, slot, isLost = false) {
      const read = events.filter((event) => handles(consumer, event))
      const applied = isReadonlyArrayNonEmpty(read) ? consumer.handle(sql, read, slot) : Effect.void
      const transaction = isLost ? Effect.andThen(applied, Effect.fail("lost" as const)) : applied
      yield* sql.withTransaction(transaction).pipe(
        Effect.catchIf(
          (error) => error === "lost",
          () => Effect.void
        )
      )
    }),
    rows: sql<{ readonly row: unknown }>`
      SELECT to_jsonb(t) AS row FROM ${sql.literal(tables.names[0])} t ORDER BY t::text`.pipe(
      Effect.map((rows) => rows.map(({ row }) => row))
    ),
    swap: sql.withTransaction(tables.swap(sql)),
    content: (streamId) =>
      audit === undefined ? Effect.undefined : Effect.map(audit.row(sql, streamId, "live"), (row) => row?.content)
  }
})

/** Rows are kept as a kernel in memory keeps them. */
export const inMemory = (projection: Projection & Required<Pick<Projection, "fold">>): Place => {
  const { fold } = projection
  type Kept = ReadonlyMap<string, unknown>
  const kept: Record<Slot, Kept> = { live: new Map(), shadow: new Map() }
  return {
    projection,
    handles: (event) => handles(projection, event),
    empty: (slot) =>
      Effect.sync(() => {
        kept[slot] = new Map()
      }),
    apply: (events, slot, isLost) =>
      Effect.sync(() => {
        const rows = new Map(kept[slot])
        for (const event of events) {
          if (!handles(projection, event)) continue
          const row = fold.evolve(rows.get(event.streamId), event)
          if (row === undefined) rows.delete(event.streamId)
          else rows.set(event.streamId, row)
        }
        if (isLost !== true) kept[slot] = rows
      }),
    rows: Effect.sync(() => [...kept.live].toSorted(([left], [right]) => (left < right ? -1 : 1))),
    swap: Effect.sync(() => {
      kept.live = kept.shadow
    }),
    content: (streamId) => Effect.sync(() => kept.live.get(streamId))
  }
}
