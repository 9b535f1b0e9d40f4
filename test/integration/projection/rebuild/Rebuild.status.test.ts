import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import type { Projection } from "../../../../src/projection/Projection.ts"
import { defaults, ProjectionLimits } from "../../../../src/projection/ProjectionLimits.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import * as RebuildRows from "../../../../src/projection/rebuild/RebuildRows.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { connect } from "../../../../harness/servers/FreshDatabase.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { infoWhen, name, rebuildEnds, silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { operatedLayer } from "../../../../harness/views/ViewLayer.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"

const { version } = OrderViewProjection

describe("a projection of which a rebuild is under way", () => {
  it.live("can be paused meanwhile, and stays so when the rebuild is put in place", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const rebuilds = yield* Rebuilds
        yield* viewReaches(yield* append(yield* orderLives(20)))
        const { id } = yield* rebuilds.start(name, { eventsPerSecond: 1 })
        yield* rebuilds.pause(id)
        assert.containSubset((yield* projections.list)[0], { status: "rebuilding", rebuildId: id })
        yield* projections.pause(name)
        assert.containSubset((yield* projections.list)[0], { status: "paused", rebuildId: id })
        yield* rebuilds.abort(id)
        const { id: second } = yield* rebuilds.start(name)
        assert.strictEqual((yield* rebuildEnds(second)).state, "completed")
        const { position } = yield* infoWhen((info) => info.rebuildId === undefined)
        const head = yield* append(yield* orderLives(5))
        assert.containSubset((yield* projections.list)[0], { status: "paused", position, head })
        yield* projections.resume(name)
        yield* infoWhen((info) => info.status === "live" && info.position === head)
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )

  it.live("is stopped all the same when its checkpoint is of another log", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const rebuilds = yield* Rebuilds
        const { reads: sql } = yield* Database
        yield* viewReaches(yield* append(yield* orderLives(5)))
        const { id } = yield* rebuilds.start(name, { eventsPerSecond: 1 })
        yield* rebuilds.pause(id)
        yield* sql`UPDATE ordinal.checkpoints SET log_id = gen_random_uuid() WHERE slot = 'live'`
        const [info] = yield* projections.list
        assert.containSubset(info, { status: "stopped", rebuildId: id })
        assert.include(info!.problem, "its checkpoint is of log")
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )

  it.live("is looked at without a lock, so that the runner of the older version is not held up", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const other = yield* connect(url)
      yield* Effect.gen(function* () {
        const { projections: sql } = yield* Database
        yield* viewReaches(yield* append(yield* orderLives(2)))
        yield* Effect.gen(function* () {
          yield* other`SELECT FROM ordinal.checkpoints WHERE slot = 'live' FOR UPDATE`
          assert.isFalse(yield* RebuildRows.requestVersion(sql, OrderViewProjection))
        }).pipe(other.withTransaction)
      }).pipe(
        Effect.provide(operatedLayer(url, OrderViewProjection, { sessionSettings: { lock_timeout: "50ms" } })),
        Effect.provide(silent)
      )
    })
  )

  it.live("for a new version that a newer one replaced begins again by itself once that is given up", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const { projections: sql } = yield* Database
        yield* viewReaches(yield* append(yield* orderLives(5)))
        const second = { ...OrderViewProjection, version: version + 1 }
        const third = { ...OrderViewProjection, version: version + 2 }
        assert.isTrue(yield* RebuildRows.requestVersion(sql, second))
        assert.isTrue(yield* RebuildRows.requestVersion(sql, third))
        const [newer, older] = yield* rebuilds.list
        const problem = `replaced by a rebuild of version ${version + 2}`
        assert.containSubset(older, { version: version + 1, state: "replaced", problem })
        const { id } = older!
        assert.containSubset(yield* Effect.flip(rebuilds.resume(id)), { _tag: "RebuildRefused", id })
        yield* rebuilds.abort(newer!.id)
        assert.isFalse(yield* RebuildRows.requestVersion(sql, third))
        assert.isTrue(yield* RebuildRows.requestVersion(sql, second))
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )

  it.live("for a new version does not begin another one once that is aborted, until it is told to", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.flatMap(append(yield* orderLives(10)), viewReaches).pipe(Effect.provide(operatedLayer(url)))
      const next: Projection = { ...OrderViewProjection, version: version + 1 }
      const isGivenUp = Effect.gen(function* () {
        const projections = yield* Projections
        const { projections: sql } = yield* Database
        assert.isFalse(yield* RebuildRows.requestVersion(sql, next))
        const [info] = yield* projections.list
        assert.containSubset(info, { status: "stopped", version })
        assert.isUndefined(info!.rebuildId)
        assert.match(
          info!.problem!,
          new RegExp(`of version ${version}, .* was aborted; .*POST .*rebuild.* to have version ${version + 1}`)
        )
      })
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const { rebuildId } = yield* infoWhen((info) => info.rebuildId !== undefined)
        yield* rebuilds.abort(rebuildId!)
        yield* isGivenUp
      }).pipe(Effect.provide(operatedLayer(url, next)), Effect.provide(silent))
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const { projections: sql } = yield* Database
        yield* isGivenUp
        const { id } = yield* rebuilds.start(name, { eventsPerSecond: 0 })
        assert.strictEqual((yield* rebuildEnds(id)).state, "completed")
        const { problem } = yield* infoWhen((info) => info.version === version + 1 && info.status === "live")
        assert.isUndefined(problem)
        assert.isTrue(yield* RebuildRows.requestVersion(sql, { ...next, version: version + 2 }))
      }).pipe(Effect.provide(operatedLayer(url, next)), Effect.provide(silent))
      // One that begins by itself is under way for long, without a lock that whoever aborts it waits for.
    }).pipe(Effect.provideService(ProjectionLimits, { ...defaults, rebuildRate: 1 }))
  )
})
