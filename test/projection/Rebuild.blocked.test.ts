import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Projection } from "../../src/projection/Projection.ts"
import { Projections } from "../../src/projection/Projections.ts"
import { OrderViewProjection } from "../../src/readmodel/OrderViewProjection.ts"
import { freshDatabase } from "../support/freshDatabase.ts"
import { append, orderLives } from "../support/orderLives.ts"
import { ended, isFold, name, seen, silent } from "../support/rebuilds.ts"
import { operatedLayer } from "../support/viewLayer.ts"

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
        const projections = yield* Projections
        yield* seen(yield* append(yield* orderLives(20)))
        const { id } = yield* projections.rebuild(name, { compare: "all" })
        const blocked = yield* ended(id)
        assert.containSubset(blocked, { state: "blocked", compared: 20, different: 20 })
        assert.match(blocked.problem!, /20 of 20 rows are not the fold of the log.* in status/)
        yield* isFold
        yield* projections.abortRebuild(id)
        wrong = false
        const { id: second } = yield* projections.rebuild(name)
        assert.strictEqual((yield* ended(second)).state, "completed")
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
        const head = yield* append(yield* orderLives(20))
        yield* seen(head)
        const { id } = yield* projections.rebuild(name)
        const blocked = yield* ended(id)
        assert.strictEqual(blocked.state, "blocked")
        assert.match(blocked.problem!, /fails in the new view and not in the one that serves: no/)
        assert.containSubset((yield* projections.list)[0], { parked: 0, position: head })
        yield* isFold
        isBroken = false
        yield* projections.abortRebuild(id)
        assert.strictEqual((yield* ended((yield* projections.rebuild(name)).id)).state, "completed")
        assert.deepStrictEqual(yield* projections.parked, [])
        yield* isFold
      }).pipe(Effect.provide(operatedLayer(url, bent)), Effect.provide(silent))
    })
  )
})
