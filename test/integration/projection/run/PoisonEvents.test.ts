/**
 * The one rule for poison: what fails alone while others get through is parked; what fails for everything never is. The
 * tests mostly wait for the pauses between attempts, so several run at once, each on a database of its own.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import type { SqlClient } from "effect/sql"
import { Database } from "../../../../src/database/Database.ts"
import type { RecordedEvent } from "../../../../src/eventstore/EventStore.ts"
import type { Projection } from "../../../../src/projection/Projection.ts"
import { ParkedStreams } from "../../../../src/projection/parking/ParkedStreams.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"
import { infoWhen, silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { operatedLayer } from "../../../../harness/views/ViewLayer.ts"

const raise = (sql: SqlClient.SqlClient, state: string) =>
  Effect.asVoid(sql.unsafe(`DO $$ BEGIN RAISE EXCEPTION 'the cause' USING ERRCODE = '${state}'; END $$`))

/** No event can cause these, so an attempt ends with its first failure; the others are tried in parts, thrice. */
const passing = ["08006", "25006", "28000", "53100", "55006", "57P03", "58030"]
const attemptsWith = (state: string) => (passing.includes(state) ? 4 : 10)

/** An order view in which the database raises this SQLSTATE for some events, until it is told not to. */
const failing = (state: string, fails: (event: RecordedEvent) => boolean) => {
  const control = { isCured: false, attempts: 0, enough: Deferred.makeUnsafe<void>() }
  const projection: Projection = {
    ...OrderViewProjection,
    handle: (sql, events, slot) =>
      Effect.suspend(() => {
        if (control.isCured || !events.some(fails)) return OrderViewProjection.handle(sql, events, slot)
        if (++control.attempts === attemptsWith(state)) Deferred.doneUnsafe(control.enough, Effect.void)
        return raise(sql, state)
      })
  }
  return { control, projection }
}

describe.concurrent("what fails for everything", () => {
  it.live.each([...passing, "3F000", "42501", "42P01", "54000", "57014", "72000", "F0000", "XX000"])(
    "is waited for, never parked or stopped: SQLSTATE %s, with few events and with many",
    (state) =>
      Effect.gen(function* () {
        const { control, projection } = failing(state, () => true)
        yield* Effect.gen(function* () {
          const parkedStreams = yield* ParkedStreams
          for (const orders of [1, 20]) {
            Object.assign(control, { isCured: false, attempts: 0, enough: Deferred.makeUnsafe<void>() })
            const head = yield* append(yield* orderLives(orders))
            yield* Deferred.await(control.enough)
            yield* infoWhen(({ status }) => status === "retrying")
            assert.deepStrictEqual(yield* parkedStreams.list, [])
            control.isCured = true
            yield* viewReaches(head)
            yield* infoWhen(({ status }) => status === "live")
          }
          assert.deepStrictEqual(yield* parkedStreams.list, [])
          yield* assertViewIsFold
        }).pipe(Effect.provide(operatedLayer(yield* freshDatabase, projection)), Effect.provide(silent))
      })
  )

  it.live("is waited for if the view's table is away, and nothing is parked when it is back", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        const { reads: sql } = yield* Database
        const parkedStreams = yield* ParkedStreams
        yield* viewReaches(yield* append(yield* orderLives(2)))
        yield* sql`ALTER TABLE ordinal.order_view RENAME TO away`
        const head = yield* append(yield* orderLives(30))
        yield* infoWhen(({ status }) => status === "retrying")
        yield* sql`ALTER TABLE ordinal.away RENAME TO order_view`
        yield* viewReaches(head)
        assert.deepStrictEqual(yield* parkedStreams.list, [])
        yield* infoWhen(({ status }) => status === "live")
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )
})

describe.concurrent("an event that fails alone", () => {
  it.live.each(["22012", "23514", "42501", "54000", "57014", "XX000", "P0001"])(
    "is parked while others get through, whatever it fails with: SQLSTATE %s",
    (state) =>
      Effect.gen(function* () {
        let victim = ""
        const { projection } = failing(state, (event) => event.streamId === victim)
        yield* Effect.gen(function* () {
          const parkedStreams = yield* ParkedStreams
          const entries = yield* orderLives(12)
          // Others follow the first entry, so there is something to compare it with, in batches of one event as well.
          victim = entries[0]!.streamId
          yield* viewReaches(yield* append(entries))
          const parked = yield* parkedStreams.list
          assert.deepStrictEqual(
            parked.map(({ streamId }) => streamId),
            [victim]
          )
          assert.include(parked[0]!.reason, "the cause")
        }).pipe(Effect.provide(operatedLayer(yield* freshDatabase, projection)), Effect.provide(silent))
      })
  )

  it.live("and is the only one there is waits for another event to compare it with", () =>
    Effect.gen(function* () {
      let victim = ""
      const { control, projection } = failing("42501", (event) => event.streamId === victim)
      yield* Effect.gen(function* () {
        const parkedStreams = yield* ParkedStreams
        const entries = yield* orderLives(1)
        victim = entries[0]!.streamId
        yield* append(entries.slice(0, 1))
        yield* Deferred.await(control.enough)
        assert.deepStrictEqual(yield* parkedStreams.list, [])
        yield* viewReaches(yield* append(yield* orderLives(1)))
        assert.containSubset(yield* parkedStreams.list, [{ streamId: victim }])
      }).pipe(Effect.provide(operatedLayer(yield* freshDatabase, projection)), Effect.provide(silent))
    })
  )

  it.live.each(passing)("is never parked for what no event can cause: SQLSTATE %s", (state) =>
    Effect.gen(function* () {
      let victim = ""
      const { control, projection } = failing(state, (event) => event.streamId === victim)
      yield* Effect.gen(function* () {
        const parkedStreams = yield* ParkedStreams
        const entries = yield* orderLives(5)
        victim = entries.at(-1)!.streamId
        const head = yield* append(entries)
        yield* Deferred.await(control.enough)
        assert.deepStrictEqual(yield* parkedStreams.list, [])
        control.isCured = true
        yield* viewReaches(head)
        assert.deepStrictEqual(yield* parkedStreams.list, [])
      }).pipe(Effect.provide(operatedLayer(yield* freshDatabase, projection)), Effect.provide(silent))
    })
  )
})
