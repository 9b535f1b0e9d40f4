import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import { Projections } from "../../../../src/projection/Projections.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold, stored } from "../../../../harness/judges/OrderViewFold.ts"
import { restoreLog } from "../../../../harness/faults/RestoredLog.ts"
import { awaitRebuild, infoWhen, name, rebuildEnds, silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { operatedLayer } from "../../../../harness/views/ViewLayer.ts"

describe("a rebuild", () => {
  it.live("is what an older copy of the log demands under a projection that runs, and puts it right", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const { reads: sql } = yield* Database
        const old = yield* append(yield* orderLives(10))
        const head = yield* append(yield* orderLives(10))
        yield* viewReaches(head)
        yield* restoreLog(old)
        // Not only seen by whoever asks: on record, so that it does not go on once the log is as long again.
        yield* infoWhen(({ problem }) => problem !== undefined)
        const onRecord = sql<{ readonly problem: string | null }>`SELECT problem FROM ordinal.checkpoints ORDER BY slot`
        const [row] = yield* onRecord.pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: ([row]) => row?.problem !== null })
        )
        // The tail sees it, or whoever looks at the checkpoint: the first one says it.
        const demand = `its checkpoint is at position ${head}, but the log ends at ${old}; rebuild it from the log`
        const seenByTail = "the log was replaced by an older copy while it ran; rebuild it from the log"
        assert.isTrue([demand, seenByTail].some((text) => row?.problem?.includes(text)))
        const before = yield* stored(sql)
        let longer = old
        while (longer <= head) longer = yield* append(yield* orderLives(10))
        assert.containSubset(yield* infoWhen(({ head }) => head === longer), {
          status: "stopped",
          problem: row!.problem!
        })
        assert.deepStrictEqual(yield* stored(sql), before)

        const { id } = yield* rebuilds.start(name, { compare: "all" })
        assert.containSubset(yield* rebuildEnds(id), { state: "completed", different: 0 })
        const { problem } = yield* infoWhen(({ behind, status }) => status === "live" && behind === 0)
        assert.isUndefined(problem)
        yield* assertViewIsFold
        yield* append(yield* orderLives(5))
        yield* infoWhen(({ behind }) => behind === 0)
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )

  it.live("is what a checkpoint of another log demands, and puts it right", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        yield* viewReaches(yield* append(yield* orderLives(10)))
        const { reads: sql } = yield* Database
        yield* sql`UPDATE ordinal.checkpoints SET log_id = gen_random_uuid(), "position" = "position" + 5`
      }).pipe(Effect.provide(operatedLayer(url)))
      yield* Effect.gen(function* () {
        const projections = yield* Projections
        const rebuilds = yield* Rebuilds
        const [stopped] = yield* projections.list
        assert.strictEqual(stopped?.status, "stopped")
        assert.match(stopped?.problem ?? "", /its checkpoint is of log .*, but this is log .*; rebuild it from the log/)
        const { id } = yield* rebuilds.start(name)
        assert.strictEqual((yield* rebuildEnds(id)).state, "completed")
        const entries = yield* orderLives(5)
        yield* viewReaches(yield* append(entries))
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )

  it.live("is blocked where its own checkpoint is of history that was lost, and a new one puts that right", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const id = yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        yield* viewReaches(yield* append(yield* orderLives(10)))
        const { id } = yield* rebuilds.start(name, { eventsPerSecond: 1 })
        yield* awaitRebuild(id, ({ position }) => position > 0n)
        yield* rebuilds.pause(id)
        return id
      }).pipe(Effect.provide(operatedLayer(url)))
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const { reads: sql } = yield* Database
        yield* sql`UPDATE ordinal.checkpoints SET event_id = gen_random_uuid() WHERE slot = 'shadow'`
        yield* rebuilds.resume(id)
        const blocked = yield* rebuildEnds(id)
        assert.strictEqual(blocked.state, "blocked")
        assert.match(blocked.problem ?? "", /where its checkpoint is, is another one than the view was made of/)
        yield* rebuilds.abort(id)
        const again = yield* rebuilds.start(name, { compare: "all" })
        assert.containSubset(yield* rebuildEnds(again.id), { state: "completed", different: 0 })
        yield* assertViewIsFold
        const [row] = yield* sql`SELECT c."position" = c.event_position AND e.event_id = c.event_id AS "isKnown"
          FROM ordinal.checkpoints c JOIN ordinal.events e ON e."position" = c."position"`
        assert.deepStrictEqual(row, { isKnown: true })
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(silent))
    })
  )

  it.live("that is not possible says how to begin anew instead, which works", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { tables: _, ...single } = OrderViewProjection
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const { reads: sql } = yield* Database
        yield* viewReaches(yield* append(yield* orderLives(10)))
        yield* sql`UPDATE ordinal.checkpoints SET log_id = gen_random_uuid()`
        yield* infoWhen((info) => info.status === "stopped")
        const refused = yield* Effect.flip(rebuilds.start(name))
        assert.include(refused.message, "empty what it keeps and delete its row of ordinal.checkpoints")
        assert.include(refused.message, "then restart every process")
        yield* sql`TRUNCATE ordinal.order_view`.pipe(
          Effect.andThen(sql`DELETE FROM ordinal.checkpoints WHERE projection = ${name}`),
          sql.withTransaction
        )
        yield* infoWhen((info) => info.status === "live" && info.behind === 0)
        yield* assertViewIsFold
      }).pipe(Effect.provide(operatedLayer(url, single)), Effect.provide(silent))
    })
  )
})
