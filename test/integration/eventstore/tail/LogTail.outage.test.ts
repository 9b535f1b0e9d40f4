/** The tail never stops for ever: whatever the log can't be read for, its readers go on by themselves afterwards. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger, Ref } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import { EventStore } from "../../../../src/eventstore/EventStore.ts"
import { LogTail } from "../../../../src/eventstore/tail/LogTail.ts"
import * as SqlProjectionStore from "../../../../src/projection/store/SqlProjectionStore.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import * as ProjectionRunner from "../../../../src/projection/run/ProjectionRunner.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold } from "../../../../harness/judges/OrderViewFold.ts"
import { logLayer } from "../../../../harness/views/LogLayer.ts"
import { infoWhen, silent, viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { operatedLayer, processLayer } from "../../../../harness/views/ViewLayer.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"

const until = (isSo: Effect.Effect<boolean>) => Effect.repeat(Effect.delay(isSo, "20 millis"), { until: (so) => so })

describe("a log that can't be read for a while", () => {
  it.live("is read on by every process once its schema is back, with two lines about it in the log", () => {
    const messages: Array<string> = []
    const logger = Logger.make(({ message }) => void messages.push(String(message)))
    return Effect.gen(function* () {
      const url = yield* freshDatabase
      const [here, there] = [yield* Layer.build(operatedLayer(url)), yield* Layer.build(processLayer(url))]
      yield* Effect.gen(function* () {
        const { reads: sql } = yield* Database
        const tail = yield* LogTail
        yield* viewReaches(yield* append(yield* orderLives(3)))
        yield* sql`ALTER SCHEMA ordinal RENAME TO away`
        yield* until(Effect.map(tail.isReading, (reads) => !reads))
        yield* sql`ALTER SCHEMA away RENAME TO ordinal`
        yield* until(tail.isReading)
        const head = yield* append(yield* orderLives(3))
        yield* viewReaches(head)
        yield* viewReaches(head).pipe(Effect.provide(there))
        yield* infoWhen(({ status }) => status === "live")
        yield* assertViewIsFold
      }).pipe(Effect.provide(here))
      const about = messages.filter((message) => message.startsWith("Reading the log"))
      assert.isAtMost(
        about.filter((message) => message.includes("fails and is tried again")).length,
        2,
        about.join("\n")
      )
      assert.isAtLeast(about.filter((message) => message.includes("works again after")).length, 1)
    }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
  })

  it.live("is left to another process by one that alone can't read it", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const isAway = yield* Ref.make(false)
      const isAsked = yield* Deferred.make<void>()
      const blind = Layer.effect(
        EventStore,
        Effect.map(EventStore, (store) =>
          EventStore.of({
            ...store,
            readAll: (options) =>
              Effect.flatMap(Ref.get(isAway), (away) => {
                if (!away) return store.readAll(options)
                Deferred.doneUnsafe(isAsked, Effect.void)
                return Effect.die(new Error("this process can't read the log"))
              })
          })
        )
      )
      const first = yield* Layer.build(
        ProjectionRunner.layer(OrderViewProjection).pipe(
          Layer.provideMerge(Layer.merge(LogTail.layer, ProjectionProgress.layer)),
          Layer.provideMerge(SqlProjectionStore.layer),
          Layer.provideMerge(blind.pipe(Layer.provideMerge(logLayer(url))))
        )
      )
      const reaches = (position: bigint) => Effect.provide(viewReaches(position), first)
      yield* reaches(yield* Effect.provide(append(yield* orderLives(2)), first))
      yield* Ref.set(isAway, true)
      yield* Deferred.await(isAsked)
      const second = yield* Layer.build(processLayer(url))
      const head = yield* Effect.provide(append(yield* orderLives(2)), second)
      yield* Effect.provide(viewReaches(head), second)
      yield* Ref.set(isAway, false)
      // The blind process follows again by itself.
      const later = yield* Effect.provide(append(yield* orderLives(1)), second)
      const page = yield* Effect.forkChild(
        Effect.provide(
          Effect.flatMap(LogTail, (tail) => tail.page(later - 1n, 1)),
          first
        )
      )
      assert.strictEqual((yield* Fiber.join(page))[0].position, later)
    }).pipe(Effect.scoped, Effect.provide(silent))
  )
})
