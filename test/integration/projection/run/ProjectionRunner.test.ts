import { describe, layer as withLayer } from "@effect/vitest"
import { Effect } from "effect"
import { EventStore } from "../../../../src/eventstore/EventStore.ts"
import * as ProjectionRunner from "../../../../src/projection/run/ProjectionRunner.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { append as appendEntries, entry, newStream } from "../../../../src/testing/EventStoreEntries.ts"
import { seed, seeded } from "../../../../harness/fixtures/SeededRandom.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"
import { fresh, readerLayer } from "../../../../harness/views/ViewLayer.ts"
import { viewReaches } from "../../../../harness/views/ViewSteps.ts"

const adapters = {
  postgres: fresh(readerLayer),
  pglite: readerLayer("pglite:memory")
}

/** A runner that lives until the view has reached the position, and is then ended, whatever it is doing. */
const runUntil = (position: bigint) =>
  Effect.provide(viewReaches(position), ProjectionRunner.layer(OrderViewProjection))

describe.each(Object.entries(adapters))("ProjectionRunner on %s", (_, layer) => {
  withLayer(layer, { excludeTestServices: true })((it) => {
    it.effect("makes the view equal to the fold of the log, in any batches and with restarts anywhere (L12)", () =>
      Effect.gen(function* () {
        const entries = yield* orderLives(150)
        const draw = seeded(seed)
        let from = 0
        while (from < entries.length) {
          const to = from + 1 + Math.floor(draw() * 120)
          const head = yield* append(entries.slice(from, to), 1 + Math.floor(draw() * 40))
          yield* appendEntries(entry(newStream(), 0, { events: 2 }))
          yield* runUntil(head - BigInt(Math.floor(draw() * 31)))
          from = to
        }
        yield* runUntil((yield* (yield* EventStore).head).position)
        yield* assertViewIsFold
      })
    )

    it.effect("moves past events it does not handle", () =>
      Effect.gen(function* () {
        const { position } = yield* (yield* EventStore).head
        yield* appendEntries(entry(newStream(), 0, { events: 700 }))
        yield* runUntil(position + 700n)
      })
    )
  })
})
