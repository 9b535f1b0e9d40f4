/** Ordinary batches do not wait for the disk, since they can be repeated; what an operator or a failure decides does. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Projection } from "../../../../src/projection/Projection.ts"
import { ParkedStreams } from "../../../../src/projection/parking/ParkedStreams.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { operatedLayer } from "../../../../harness/views/ViewLayer.ts"

it.live("batches commit without waiting for the disk, but not those in parts, which park, and not a retry", () => {
  const settings: Array<unknown> = []
  let culprit: string | undefined
  const projection: Projection = {
    ...OrderViewProjection,
    handle: (sql, events, slot) =>
      Effect.gen(function* () {
        const [row] = yield* sql<{ readonly setting: string }>`SELECT current_setting('synchronous_commit') AS setting`
        settings.push(row?.setting)
        if (events.some(({ streamId }) => streamId === culprit)) return yield* Effect.die(new Error("not this one"))
        return yield* OrderViewProjection.handle(sql, events, slot)
      })
  }
  return Effect.gen(function* () {
    yield* Effect.gen(function* () {
      const parkedStreams = yield* ParkedStreams
      yield* viewReaches(yield* append(yield* orderLives(3)))
      assert.deepStrictEqual([...new Set(settings)], ["off"])

      const entries = yield* orderLives(3)
      culprit = entries[0]!.streamId
      settings.length = 0
      yield* viewReaches(yield* append(entries))
      // Each attempt at a batch begins with all of it, as an ordinary one; then its parts are tried.
      assert.deepStrictEqual([settings[0], settings.at(-1)], ["off", "on"])
      const [parked] = yield* parkedStreams.list
      assert.strictEqual(parked?.streamId, culprit)

      culprit = undefined
      settings.length = 0
      yield* parkedStreams.retry(parked!.id)
      assert.deepStrictEqual([...new Set(settings)], ["on"])
    }).pipe(Effect.provide(operatedLayer(yield* freshDatabase, projection)), Effect.provide(silent))
  })
})
