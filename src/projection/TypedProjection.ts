/**
 * `Projection.make`: a projection whose handler is given decoded events, and may need services. `Projection` is also the
 * plain value that it makes, which programs with needs beyond it write by hand.
 */
import { Effect, Layer } from "effect"
import type { SqlClient, SqlError, Statement } from "effect/sql"
import * as Fold from "./fold/Fold.ts"
import * as HandlerFailure from "./HandlerFailure.ts"
import type { Batch, Projection as Plain, Slot } from "./Projection.ts"
import { ProjectionHost } from "./ProjectionHost.ts"
import type { ProjectionTable } from "./ProjectionTable.ts"
import * as TypedEvents from "./TypedEvents.ts"

export type Projection = Plain

/** A projection whose handler needs services. Without any it is a `Projection`. */
export interface WithServices<R> extends Omit<Projection, "handle"> {
  /** What it reads from, if `Projection.make` or `Projection.fold` has made it. */
  readonly from?: ReadonlyArray<TypedEvents.Source>
  handle(sql: SqlClient.SqlClient, events: Batch, slot: Slot): Effect.Effect<void, SqlError.SqlError, R>
}

/** A handler writes with these: no other client is part of the transaction. */
export interface Target {
  readonly sql: SqlClient.SqlClient
  /** The table that serves, or the one that a rebuild fills. */
  readonly table: Statement.Fragment
}

export interface Options<From extends TypedEvents.Source, E, R> {
  /** Increase it when the handler changes: the next start fills a new table, and uses it once it has caught up. */
  readonly version: number
  /** The aggregates whose events it is given, decoded; or names of categories, whose events nobody decodes. */
  readonly from: ReadonlyArray<From>
  /** It is given these types of events alone, by their tags. */
  readonly types?: ReadonlyArray<string>
  /** `ProjectionTable.make` makes it. */
  readonly table: ProjectionTable
  /**
   * `stream`, the default, says that what the handler makes of a stream depends on no other stream: then a stream with an
   * event that can't be applied is parked alone. Otherwise `none`: the projection stops at such an event.
   */
  readonly partition?: Projection["partition"]
  /**
   * Writes what events lead to, in the order of the log, each once: `sql` is a transaction in which the checkpoint moves
   * too. It waits for little else, and asks no clock: the time of an event is its `recordedAt`. A failure with `retryAfter`
   * waits and tries again; any other one, but for those of SQL, counts against the events.
   */
  readonly handle: (events: TypedEvents.Events<From>, target: Target) => Effect.Effect<unknown, E, R>
}

/**
 * Makes a projection of aggregates: a table that follows the log. Give it to the `projections` of a layer of `EventSourcing`,
 * or run it by `Projection.layer`, which its services are provided to.
 *
 * ```ts
 * const table = ProjectionTable.make({ name: "public.cards_per_day", columns: "day date PRIMARY KEY, cards bigint NOT NULL" })
 *
 * const CardsPerDay = Projection.make("cards-per-day", {
 *   version: 1, from: [GiftCards], types: ["Issued"], table,
 *   handle: (events, { sql, table }) => sql`
 *     INSERT INTO ${table} AS known (day, cards)
 *     SELECT at::date, count(*) FROM unnest(${events.map(({ recordedAt }) => recordedAt)}::text[]) AS issued (at) GROUP BY 1
 *     ON CONFLICT (day) DO UPDATE SET cards = known.cards + excluded.cards`
 * })
 * ```
 *
 * Its name and version stand for its table's content. Throws a `TypeError` if it reads from nothing.
 */
const make = <const From extends TypedEvents.Source, E = never, R = never>(
  name: string,
  { from, handle, partition = "stream", table, types, version }: Options<From, E, R>
): WithServices<R> => {
  const decode = TypedEvents.decoder(from)
  return {
    name,
    version,
    partition,
    from,
    categories: TypedEvents.categoriesOf(from),
    ...(types === undefined ? {} : { types }),
    tables: table,
    handle: (sql, events, slot) =>
      Effect.suspend(() => handle(decode(events), { sql, table: table.in(sql, slot) })).pipe(
        HandlerFailure.classified,
        // The runner knows them as causes.
        Effect.catchTag(["Retry", "HandlerOverdue"], Effect.die),
        Effect.asVoid
      )
  }
}

/** Runs a projection until the layer is closed, unless another process on the same log runs it. */
const layer = <R>(projection: WithServices<R>) =>
  Layer.effectDiscard(
    Effect.gen(function* () {
      const { run } = yield* ProjectionHost
      const context = yield* Effect.context<R>()
      yield* run({
        ...projection,
        handle: (...given) => Effect.provide(projection.handle(...given), context)
      })
    })
  )

export const Projection = { make, fold: Fold.make, layer }
