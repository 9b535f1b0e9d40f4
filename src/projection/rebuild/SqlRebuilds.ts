/**
 * Implements `Rebuilds` in SQL: every request is a change of the rebuild's row, which the runners of all processes look
 * at.
 */
import { Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { Database } from "../../database/Database.ts"
import { tableName } from "../../database/SchemaName.ts"
import { changeOrUnavailable, changeWithinSeconds, orUnavailable, withinSeconds } from "../../database/SqlFailure.ts"
import { type Consumer, findProjection, isSubscription } from "../Projection.ts"
import { RebuildRefused, UnknownRebuild } from "../ProjectionErrors.ts"
import { overdueOrUnavailable } from "../run/BoundedTransaction.ts"
import * as RebuildRows from "./RebuildRows.ts"
import { type Rebuild, Rebuilds } from "./Rebuilds.ts"

/** A projection without a second table can only be emptied and filled again. */
const notBeside = (sql: SqlClient) =>
  "it has no second table to be rebuilt in; to begin anew, empty what it keeps and delete its row of " +
  `${tableName(sql, "ordinal.checkpoints")}, both in one transaction, then restart every process`

const make = Effect.fnUntraced(function* (consumers: () => ReadonlyArray<Consumer>) {
  const { projections: sql } = yield* Database
  const list = (id?: string) => RebuildRows.list(sql, id).pipe(orUnavailable, withinSeconds(6))

  const get = Effect.fnUntraced(function* (id: string) {
    const [rebuild] = yield* list(id)
    return rebuild ?? (yield* new UnknownRebuild({ id }))
  })

  /** Refuses a change of a rebuild that was found to have ended; otherwise gives the rebuild as it is now. */
  const changed = Effect.fnUntraced(function* ({ id, projection, state }: Rebuild, isOpen: boolean) {
    if (isOpen) return yield* get(id)
    return yield* new RebuildRefused({ projection, id, problem: `this rebuild is ${state}; start another one` })
  })

  const setState = (state: "running" | "paused") =>
    Effect.fnUntraced(function* (id: string) {
      const rebuild = yield* get(id)
      const isOpen = yield* RebuildRows.setState(sql, id, state).pipe(changeOrUnavailable, changeWithinSeconds(6))
      return yield* changed(rebuild, isOpen)
    })

  return Rebuilds.of({
    list: list(),
    get,
    start: Effect.fn("Rebuilds.start")(function* (name, options = {}) {
      const projection = yield* findProjection(consumers(), name)
      if (isSubscription(projection)) {
        return yield* new RebuildRefused({ projection: name, problem: "it is a subscription; rewind it instead" })
      }
      if (projection.tables === undefined) {
        return yield* new RebuildRefused({ projection: name, problem: notBeside(sql) })
      }
      const id = yield* RebuildRows.request(sql, projection, options).pipe(overdueOrUnavailable, changeWithinSeconds(6))
      yield* Effect.logInfo(`Rebuild ${id} of the projection begins.`, { projection: name })
      return yield* Effect.catchTag(get(id), "UnknownRebuild", Effect.die)
    }),
    pause: setState("paused"),
    resume: setState("running"),
    abort: Effect.fn("Rebuilds.abort")(function* (id) {
      const rebuild = yield* get(id)
      const projection = consumers().find(({ name }) => name === rebuild.projection)
      if (projection === undefined || isSubscription(projection)) return yield* new UnknownRebuild({ id })
      const isOpen = yield* RebuildRows.abort(sql, projection, id).pipe(changeOrUnavailable, changeWithinSeconds(6))
      return yield* changed(rebuild, isOpen)
    })
  })
})

/** Offers the rebuilds of these projections. */
export const layer = (consumers: () => ReadonlyArray<Consumer>) => Layer.effect(Rebuilds, make(consumers))
