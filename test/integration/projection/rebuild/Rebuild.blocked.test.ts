import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Logger } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import type { Projection, ProjectionAudit } from "../../../../src/projection/Projection.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { ParkedStreams } from "../../../../src/projection/parking/ParkedStreams.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { OrderViewTable } from "../../../../src/views/order/OrderViewRows.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { value, withOwnMetrics } from "../../../../harness/fixtures/OwnMetrics.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"
import { heldAudit, infoWhen, name, rebuildEnds, silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { operatedLayer } from "../../../../harness/views/ViewLayer.ts"

describe("a rebuild", () => {
  it.live("is not put in place when it differs from the log", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      let wrong = true
      const bent: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          OrderViewProjection.handle(sql, events, slot).pipe(
            Effect.andThen(
              slot === "shadow" && wrong
                ? Effect.asVoid(sql`UPDATE ordinal.order_view_shadow SET status = 'bent'`)
                : Effect.void
            )
          )
      }
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        yield* viewReaches(yield* append(yield* orderLives(20)))
        const { id } = yield* rebuilds.start(name, { compare: "all" })
        const blocked = yield* rebuildEnds(id)
        assert.containSubset(blocked, { state: "blocked", compared: 20, different: 20 })
        assert.match(blocked.problem!, /20 of 20 rows are not the fold of the log.* in status/)
        yield* assertViewIsFold
        yield* rebuilds.abort(id)
        wrong = false
        const { id: second } = yield* rebuilds.start(name)
        assert.strictEqual((yield* rebuildEnds(second)).state, "completed")
      }).pipe(Effect.provide(operatedLayer(url, bent)), Effect.provide(silent))
    })
  )

  it.live("is not put in place when it would take readers of an order back, until that is put right", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      let isBroken = true
      const bent: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          Effect.suspend(() => {
            if (slot === "shadow" && isBroken && events.some(({ position }) => position === 30n)) throw new Error("no")
            return OrderViewProjection.handle(sql, events, slot)
          })
      }
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const rebuilds = yield* Rebuilds
        const parkedStreams = yield* ParkedStreams
        const head = yield* append(yield* orderLives(20))
        yield* viewReaches(head)
        const { id } = yield* rebuilds.start(name)
        const blocked = yield* rebuildEnds(id)
        assert.strictEqual(blocked.state, "blocked")
        assert.match(blocked.problem!, /fails in the new view and not in the one that serves: no/)
        assert.containSubset((yield* projections.list)[0], { parked: 0, position: head })
        yield* assertViewIsFold
        isBroken = false
        yield* rebuilds.abort(id)
        assert.strictEqual((yield* rebuildEnds((yield* rebuilds.start(name)).id)).state, "completed")
        assert.deepStrictEqual(yield* parkedStreams.list, [])
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, bent)), Effect.provide(silent))
    })
  )

  it.live("is not put in place while something hangs on the table, and says what the server says", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const rebuilds = yield* Rebuilds
        const { reads: sql } = yield* Database
        yield* viewReaches(yield* append(yield* orderLives(10)))
        yield* sql`CREATE VIEW public.best AS SELECT order_id FROM ordinal.order_view`
        const { id } = yield* rebuilds.start(name)
        const { problem, state } = yield* rebuildEnds(id)
        assert.strictEqual(state, "blocked")
        assert.match(problem!, /cannot drop table ordinal.order_view because other objects depend on it/)
        assert.containSubset((yield* projections.list)[0], { problem, rebuildId: id, behind: 0 })
        assert.strictEqual(yield* value(`orders_projection_failures_total{projection="${name}"}`), 1)
        yield* assertViewIsFold
        yield* sql`DROP VIEW public.best`
        yield* rebuilds.resume(id)
        assert.strictEqual((yield* rebuildEnds(id)).state, "completed")
        assert.isUndefined((yield* projections.list)[0]?.problem)
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent), withOwnMetrics)
    })
  )

  it.live("is not put in place when its rows can't be compared", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const audit: ProjectionAudit = {
        ...OrderViewProjection.audit!,
        row: () => {
          throw new Error("the row can't be read")
        }
      }
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        yield* viewReaches(yield* append(yield* orderLives(5)))
        const { id } = yield* rebuilds.start(name)
        assert.containSubset(yield* rebuildEnds(id), { state: "blocked", problem: "the row can't be read" })
      }).pipe(Effect.provide(operatedLayer(url, { ...OrderViewProjection, audit })), Effect.provide(silent))
    })
  )

  it.live("that is aborted while its rows are compared is no failure", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { audit, isBegun, isOpen } = yield* heldAudit
      const errors: Array<unknown> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Error") errors.push(message)
      })
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        yield* viewReaches(yield* append(yield* orderLives(5)))
        const { id } = yield* rebuilds.start(name)
        yield* Deferred.await(isBegun)
        yield* rebuilds.abort(id)
        yield* Deferred.succeed(isOpen, undefined)
        assert.strictEqual((yield* rebuildEnds((yield* rebuilds.start(name)).id)).state, "completed")
        assert.strictEqual(yield* value(`orders_projection_failures_total{projection="${name}"}`), 0)
        assert.deepStrictEqual(errors, [])
      }).pipe(
        Effect.provide(operatedLayer(url, { ...OrderViewProjection, audit })),
        Effect.provide(Logger.layer([logger])),
        withOwnMetrics
      )
    })
  )

  it.live("whose table can't be made is refused, or on record as blocked where a new version asks for it", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      let isMended = false
      const unmakeable: Projection = {
        ...OrderViewProjection,
        tables: {
          ...OrderViewTable,
          create: (sql, slot) =>
            slot === "live" || isMended ? OrderViewTable.create(sql, slot) : sql`CREATE TABLE ordinal.order_view ()`
        }
      }
      const next = { ...unmakeable, version: OrderViewProjection.version + 1 }
      const problem = `its second table can't be made: relation "order_view" already exists`
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        yield* viewReaches(yield* append(yield* orderLives(10)))
        const refused = yield* Effect.flip(rebuilds.start(name))
        assert.containSubset(refused, { _tag: "RebuildRefused", problem })
        assert.deepStrictEqual(yield* rebuilds.list, [])
      }).pipe(Effect.provide(operatedLayer(url, unmakeable)), Effect.provide(silent))
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const { rebuildId } = yield* infoWhen((info) => info.problem === problem && info.status === "stopped")
        assert.containSubset(yield* rebuilds.get(rebuildId!), { state: "blocked", version: next.version })
        isMended = true
        yield* rebuilds.resume(rebuildId!)
        assert.strictEqual((yield* rebuildEnds(rebuildId!)).state, "completed")
        const { version } = yield* infoWhen((info) => info.status === "live")
        assert.strictEqual(version, next.version)
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, next)), Effect.provide(silent))
    })
  )
})
