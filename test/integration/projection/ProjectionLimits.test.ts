import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer, Logger } from "effect"
import { Database } from "../../../src/database/Database.ts"
import * as Lease from "../../../src/projection/run/Lease.ts"
import { defaults, ProjectionLimits } from "../../../src/projection/ProjectionLimits.ts"
import { ProjectionProgress } from "../../../src/projection/consistency/ProjectionProgress.ts"
import { Audits } from "../../../src/projection/audit/Audits.ts"
import { Rebuilds } from "../../../src/projection/rebuild/Rebuilds.ts"
import * as ProjectionLayers from "../../../src/projection/ProjectionLayers.ts"
import { OrderViewProjection } from "../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { operatedLayer, readerLayer } from "../../../harness/views/ViewLayer.ts"

const { name, version } = OrderViewProjection
const key = { name, version, slot: "live" as const }
const surroundings = (limits: Partial<ProjectionLimits>) =>
  Layer.merge(Layer.succeed(ProjectionLimits, { ...defaults, ...limits }), Logger.layer([]))

const filled = Effect.gen(function* () {
  const progress = yield* ProjectionProgress
  yield* progress.awaitPosition(OrderViewProjection, yield* append(yield* orderLives(10)))
})

/** Seconds until anybody may take it over. */
const term = Effect.gen(function* () {
  const { reads: sql } = yield* Database
  const [row] = yield* sql<{ readonly term: number }>`
    SELECT extract(epoch FROM until - clock_timestamp())::float8 AS term FROM ordinal.checkpoints`
  return row!.term
})

describe("the limits of projections", () => {
  it.live("a lease ends after its term, also one that was renewed with a commit", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        yield* filled
        const { projections: sql } = yield* Database
        assert.isAbove(yield* term, 30)
        yield* sql`UPDATE ordinal.checkpoints SET owner = NULL`
        const owner = "01890000-0000-7000-8000-000000000000"
        const take = (seconds: number) =>
          Lease.take(sql, key, owner, true).pipe(
            Effect.provideService(ProjectionLimits, { ...defaults, lease: Duration.seconds(seconds) })
          )
        yield* take(1)
        assert.isAtMost(yield* term, 1)
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(surroundings({ lease: Duration.seconds(60) })))
    })
  )

  it.live("a rebuild keeps to the rate that is set, unless it is asked for another", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.gen(function* () {
        yield* filled
        const { reads: sql } = yield* Database
        const rebuilds = yield* Rebuilds
        for (const [asked, rate] of [
          [{}, 7],
          [{ eventsPerSecond: 9 }, 9],
          [{ eventsPerSecond: 0 }, null]
        ] as const) {
          const { id } = yield* rebuilds.start(name, asked)
          const [row] = yield* sql`SELECT events_per_second AS rate FROM ordinal.rebuilds WHERE id = ${id}`
          assert.strictEqual(row?.["rate"], rate)
          yield* Effect.ignore(rebuilds.abort(id))
        }
      }).pipe(Effect.provide(operatedLayer(url)), Effect.provide(surroundings({ rebuildRate: 7 })))
    })
  )

  it.live("audits run as often and as wide as is set, or not at all", () =>
    Effect.gen(function* () {
      const audited = (limits: Partial<ProjectionLimits>, patience: Duration.Input) =>
        Effect.gen(function* () {
          const url = yield* freshDatabase
          const operated = ProjectionLayers.layer([OrderViewProjection]).pipe(Layer.provideMerge(readerLayer(url)))
          return yield* Effect.gen(function* () {
            yield* filled
            const audits = yield* Audits
            const count = Effect.map(audits.reports, ([report]) => report?.audited ?? 0)
            const some = Effect.repeat(Effect.delay(count, "20 millis"), { until: (audited) => audited > 0 })
            return yield* Effect.timeoutOption(some, patience)
          }).pipe(Effect.provide(operated), Effect.provide(surroundings(limits)))
        })
      const often = { auditEvery: Duration.millis(50), auditStreams: 3 }
      const some = yield* audited(often, "20 seconds")
      // It would have run by then: the first comes at random within its second.
      const none = yield* audited({ ...often, auditStreams: 0 }, "2 seconds")
      assert.isTrue(some._tag === "Some" && some.value <= 3)
      assert.strictEqual(none._tag, "None")
    })
  )
})
