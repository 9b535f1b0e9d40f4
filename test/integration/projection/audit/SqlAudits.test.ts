import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Fiber, Layer, Logger } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import type { Projection, ProjectionAudit } from "../../../../src/projection/Projection.ts"
import { defaults, ProjectionLimits } from "../../../../src/projection/ProjectionLimits.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import { type AuditReport, Audits } from "../../../../src/projection/audit/Audits.ts"
import { Rebuilds } from "../../../../src/projection/rebuild/Rebuilds.ts"
import * as ProjectionLayers from "../../../../src/projection/ProjectionLayers.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { readerLayer, unaudited } from "../../../../harness/views/ViewLayer.ts"
import { idleInTransaction } from "../../../../harness/clocks/Patience.ts"

const { name } = OrderViewProjection
const audit: ProjectionAudit = OrderViewProjection.audit!

const logged = () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    lines.push(`${logLevel} ${String(message)}`)
  })
  return { layer: Logger.layer([logger]), count: (part: string) => lines.filter((line) => line.includes(part)).length }
}

const fill = Effect.gen(function* () {
  const progress = yield* ProjectionProgress
  yield* progress.awaitPosition(OrderViewProjection, yield* append(yield* orderLives(10)))
})

const reportWhen = (isIt: (report: AuditReport) => boolean) =>
  Effect.flatMap(Audits, (audits) =>
    audits.reports.pipe(
      Effect.delay("20 millis"),
      Effect.map(([report]) => report!),
      Effect.repeat({ until: isIt })
    )
  )

describe("the audit in the background", () => {
  it.live("finds by itself what was changed by hand, says so once, and goes on after it failed", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { count, layer } = logged()
      let failures = 1
      const failing: Projection = {
        ...OrderViewProjection,
        audit: {
          ...audit,
          row: (sql, streamId, slot) =>
            Effect.suspend(() => {
              if (failures-- > 0) throw new Error("the audit has a bug")
              return audit.row(sql, streamId, slot)
            })
        }
      }
      const watching = ProjectionLayers.layer([failing])
      const limits = { ...defaults, auditEvery: Duration.millis(10), auditStreams: 100 }
      yield* Effect.gen(function* () {
        const audits = yield* Audits
        const { reads: sql } = yield* Database
        yield* fill
        yield* reportWhen(({ audited }) => audited > 0)
        assert.strictEqual(
          count("Error The audit of order-view fails and is tried again until it works: the audit has a bug"),
          1
        )
        yield* sql`UPDATE ordinal.order_view SET status = 'bent'
          WHERE order_id = (SELECT min(order_id) FROM ordinal.order_view)`
        const { audited, differences } = yield* reportWhen(({ found }) => found > 0)
        assert.containSubset(differences, [{ kind: "different", field: "status", inView: "bent" }])
        yield* reportWhen((report) => report.audited > audited + 10)
        assert.strictEqual(count("Error The view row of"), 1)
        yield* audits.repair(name, differences[0]!.streamId)
        // An audit that is under way may have compared it before, and says so until the next.
        yield* reportWhen((report) => report.differences.length === 0)
      }).pipe(
        Effect.provide(watching.pipe(Layer.provideMerge(readerLayer(url)))),
        Effect.provide(layer),
        Effect.provideService(ProjectionLimits, limits)
      )
    })
  )

  it.live("does not take a rebuilt table for a wrong one that took the place of the one it had begun with", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const isBegun = yield* Deferred.make<void>()
      const isReplaced = yield* Deferred.make<void>()
      // Its snapshot is taken; before the row is read, a rebuild puts another table in place.
      const overtaken: Projection = {
        ...OrderViewProjection,
        audit: {
          ...audit,
          row: (sql, streamId, slot) =>
            Effect.suspend(() => {
              if (slot === "shadow") return audit.row(sql, streamId, slot)
              Deferred.doneUnsafe(isBegun, Effect.void)
              return Effect.andThen(Deferred.await(isReplaced), audit.row(sql, streamId, slot))
            })
        }
      }
      const pools = { append: 1, projections: 2, reads: 1 }
      // The snapshot is kept for as long as the rebuild takes.
      const layer = unaudited([overtaken]).pipe(
        Layer.provideMerge(readerLayer(url, { pools, sessionSettings: idleInTransaction })),
        Layer.provide(Logger.layer([]))
      )
      yield* Effect.gen(function* () {
        const rebuilds = yield* Rebuilds
        const audits = yield* Audits
        yield* fill
        const rebuild = Effect.gen(function* () {
          yield* Deferred.await(isBegun)
          const { id } = yield* rebuilds.start(name, { compare: 1 })
          yield* rebuilds
            .get(id)
            .pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ state }) => state !== "running" }))
          yield* Deferred.succeed(isReplaced, undefined)
        })
        const rebuilding = yield* Effect.forkChild(rebuild)
        assert.deepStrictEqual((yield* audits.auditSample(name, 50)).differences, [])
        yield* Fiber.join(rebuilding)
        const [last] = yield* rebuilds.list
        assert.strictEqual(last?.state, "completed")
      }).pipe(Effect.provide(layer))
    }).pipe(Effect.provideService(ProjectionLimits, { ...defaults, transaction: Duration.minutes(1) }))
  )
})
