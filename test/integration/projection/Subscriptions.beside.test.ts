import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { fill, Jars } from "../../../harness/aggregates/Jars.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { untilSo } from "../../../harness/clocks/Until.ts"
import { silent } from "../../../harness/views/ViewSteps.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { Database } from "../../../src/database/Database.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import * as Subscriptions from "../../../src/projection/Subscriptions.ts"

const so = (isSo: () => boolean) => Effect.promise(() => untilSo(isSo))

describe("what runs beside a subscription's handler", () => {
  it.live(
    "begins and ends with each attempt: it is interrupted when the subscription is paused, or its handler fails",
    () =>
      Effect.gen(function* () {
        const url = yield* freshDatabase
        let [running, begun, handled, isFailing] = [0, 0, 0, false]
        const beside = Effect.acquireUseRelease(
          Effect.sync(() => {
            running += 1
            begun += 1
          }),
          () => Effect.never,
          () => Effect.sync(() => (running -= 1))
        )
        const subscription = Subscriptions.make("notes", {
          from: [Jars],
          start: "start",
          isShared: true,
          beside,
          handle: ({ length }) =>
            Effect.suspend(() => {
              if (isFailing) return new Subscriptions.Retry({})
              handled += length
              return Effect.void
            })
        })
        const process = subscription.pipe(
          Layer.provideMerge(Jars.layer),
          Layer.provideMerge(EventSourcing.layerPostgres(url, patientConnections)),
          Layer.provide(silent)
        )
        yield* Effect.gen(function* () {
          const projections = yield* Projections
          yield* fill("a:1 b:2")
          yield* so(() => handled === 2 && running === 1)
          yield* projections.pause("notes")
          yield* so(() => running === 0)
          yield* projections.resume("notes")
          yield* so(() => running === 1)

          const before = begun
          isFailing = true
          yield* fill("a:3")
          yield* so(() => begun > before)
          isFailing = false
          yield* so(() => handled === 3 && running === 1)
        }).pipe(Effect.provide(process))
        assert.strictEqual(running, 0)
      })
  )
})

describe("subscriptions that share a connection", () => {
  it.live("take none of their own, however many there are", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const names = ["a", "b", "c", "d", "e"]
      const handled = new Set<string>()
      const one = (name: string) =>
        Subscriptions.make(name, {
          from: [Jars],
          start: "start",
          isShared: true,
          handle: () => Effect.sync(() => handled.add(name))
        })
      const [first, ...others] = names.map(one)
      const process = Layer.mergeAll(first!, ...others).pipe(
        Layer.provideMerge(Jars.layer),
        Layer.provideMerge(EventSourcing.layerPostgres(url, { ...patientConnections, pools: { projections: 1 } })),
        Layer.provide(silent)
      )
      yield* Effect.gen(function* () {
        yield* fill("a:1")
        yield* so(() => handled.size === names.length)
        const { reads: sql } = yield* Database
        const sessions = yield* sql`SELECT pid FROM pg_stat_activity
          WHERE datname = current_database() AND application_name = 'ordinal-projections' ORDER BY pid`
        assert.lengthOf(sessions, 1)
      }).pipe(Effect.provide(process))
    })
  )
})
