import { it } from "@effect/vitest"
import { Effect, Layer, Random, Stream } from "effect"
import * as PostgresProxy from "../../../../harness/faults/PostgresProxy.ts"
import { LogTail } from "../../../../src/eventstore/tail/LogTail.ts"
import { ProjectionLimits } from "../../../../src/projection/ProjectionLimits.ts"
import * as ProjectionRunner from "../../../../src/projection/run/ProjectionRunner.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"
import { fresh, onePerPool, readerLayer } from "../../../../harness/views/ViewLayer.ts"
import { endlessLease } from "../../../../harness/clocks/Patience.ts"
import { silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"

const cuts = Number(process.env.CUTS ?? 24)

/** So that only statements of batches are counted. */
const endless = Layer.succeed(ProjectionLimits, endlessLease)

it.live("is the fold of the log when the connection is cut before or after any of its statements (L12)", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const proxy = yield* PostgresProxy.make(url)
    const runner = ProjectionRunner.layer(OrderViewProjection).pipe(
      Layer.provideMerge(readerLayer(proxy.url, onePerPool)),
      Layer.provide(Layer.merge(silent, endless))
    )
    yield* Effect.gen(function* () {
      yield* Effect.gen(function* () {
        for (let cut = 0; cut < cuts; cut++) {
          // Before and after each statement of a batch and the first ones of the next.
          yield* proxy.inject(cut % 2 === 0 ? "cut before" : "cut after", "ordinal-projections", (cut >> 1) % 8)
          while (proxy.hits() === cut) yield* viewReaches(yield* append(yield* orderLives(2)))
        }
      }).pipe(Effect.provide(runner))
      yield* assertViewIsFold
    }).pipe(Effect.provide(readerLayer(url)))
  })
)

it.live("is the fold of the log when pages come again (L12)", () =>
  Effect.gen(function* () {
    const tail = yield* LogTail
    const again = LogTail.of({
      ...tail,
      pages: (after) =>
        tail.pages(after).pipe(
          Stream.mapEffect((page) =>
            Effect.map(Random.nextIntBetween(0, 4), (dice) => (dice === 0 ? [page, page] : [page]))
          ),
          Stream.flattenIterable
        )
    })
    const entries = yield* orderLives(60)
    yield* Effect.gen(function* () {
      for (let from = 0; from < entries.length; from += 15)
        yield* viewReaches(yield* append(entries.slice(from, from + 15), 2))
    }).pipe(
      Effect.provide(ProjectionRunner.layer(OrderViewProjection).pipe(Layer.provide(Layer.succeed(LogTail, again)))),
      Effect.provide(silent)
    )
    yield* assertViewIsFold
  }).pipe(Effect.provide(fresh(readerLayer)))
)
