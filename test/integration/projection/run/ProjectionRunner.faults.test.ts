import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Logger, Stream } from "effect"
import { connect } from "../../../../harness/servers/FreshDatabase.ts"
import { Database } from "../../../../src/database/Database.ts"
import type { Projection } from "../../../../src/projection/Projection.ts"
import { LogTail } from "../../../../src/eventstore/tail/LogTail.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import * as ProjectionRunner from "../../../../src/projection/run/ProjectionRunner.ts"
import * as Checkpoint from "../../../../src/projection/Checkpoint.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { append as appendEntries, entry, newStream, readFrom } from "../../../../src/testing/EventStoreEntries.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold, stored } from "../../../../harness/judges/OrderViewFold.ts"
import { viewReaches } from "../../../../harness/views/ViewSteps.ts"
import { fresh, processLayer, readerLayer } from "../../../../harness/views/ViewLayer.ts"

const status = Effect.flatMap(ProjectionProgress, (progress) => progress.status(OrderViewProjection))

/** What is logged as a warning or worse. */
const complaints = Effect.sync(() => {
  const messages: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel === "Warn" || logLevel === "Error" || logLevel === "Fatal") messages.push(String(message))
  })
  return { messages, layer: Logger.layer([logger]) }
})

describe("ProjectionRunner", () => {
  it.live("goes on when its connection is ended again and again", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const administrator = yield* connect(url)
      const kill = administrator`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'ordinal-projections' ORDER BY pid`
      const { layer, messages } = yield* complaints
      yield* Effect.gen(function* () {
        const entries = yield* orderLives(150)
        let head = 0n
        for (let from = 0; from < entries.length; from += 40) {
          head = yield* append(entries.slice(from, from + 40), 5)
          // So that the runner has a connection when it is ended first.
          if (from === 0) yield* viewReaches(head)
          yield* kill
        }
        yield* viewReaches(head)
        yield* assertViewIsFold
      }).pipe(Effect.provide(processLayer(url)), Effect.provide(layer))
      assert.isAbove(messages.length, 0)
      assert.notInclude(messages.join(), "the projection failed")
    })
  )

  it.live("shares the work with other processes without an error, a gap or a double", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { layer, messages } = yield* complaints
      const process = Effect.gen(function* () {
        const head = yield* append(yield* orderLives(60), 10)
        yield* viewReaches(head)
      }).pipe(Effect.provide(processLayer(url)), Effect.provide(layer))
      yield* Effect.all([process, process, process], { concurrency: "unbounded", discard: true })
      yield* assertViewIsFold.pipe(Effect.provide(readerLayer(url)))
      assert.deepStrictEqual(messages, [])
    })
  )

  it.live("applies nothing of a batch in which it is ended, and all of it later", () =>
    Effect.gen(function* () {
      const { reads: sql } = yield* Database
      const head = yield* append(yield* orderLives(20))
      const written = yield* Deferred.make<void>()
      const hanging: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          OrderViewProjection.handle(sql, events, slot).pipe(
            Effect.andThen(Deferred.succeed(written, undefined)),
            Effect.andThen(Effect.never)
          )
      }
      yield* Deferred.await(written).pipe(Effect.provide(ProjectionRunner.layer(hanging)))
      assert.deepStrictEqual(yield* stored(sql), [])
      yield* viewReaches(head).pipe(Effect.provide(ProjectionRunner.layer(OrderViewProjection)))
      yield* assertViewIsFold
    }).pipe(Effect.provide(fresh(readerLayer)))
  )

  it.live("tries a batch that fails again, in parts, and sets nothing aside that then works", () =>
    Effect.gen(function* () {
      const { layer, messages } = yield* complaints
      const seen: Array<unknown> = []
      let failures = 2
      const failing: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          Effect.gen(function* () {
            seen.push(yield* status)
            if (failures-- > 0) throw new Error("a bug")
            yield* OrderViewProjection.handle(sql, events, slot)
          }).pipe(Effect.provideService(ProjectionProgress, progress))
      }
      const progress = yield* ProjectionProgress
      const head = yield* append(yield* orderLives(20))
      yield* viewReaches(head).pipe(
        // A commit may be seen before the runner has been told of it.
        Effect.andThen(Effect.repeat(Effect.delay(status, "5 millis"), { until: (now) => now === "live" })),
        Effect.provide(ProjectionRunner.layer(failing)),
        Effect.provide(layer)
      )
      assert.strictEqual(messages.length, 1)
      assert.include(seen, "retrying")
      const { reads: sql } = yield* Database
      assert.deepStrictEqual(yield* sql`SELECT stream_id FROM ordinal.parked_streams ORDER BY stream_id`, [])
      yield* assertViewIsFold
    }).pipe(Effect.provide(fresh(readerLayer)))
  )

  it.live("waits for a lock that somebody else holds on the view", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const other = yield* connect(url)
      const { layer, messages } = yield* complaints
      const isRefused = yield* Deferred.make<void>()
      const noticing: Projection = {
        ...OrderViewProjection,
        handle: (sql, events, slot) =>
          Effect.tapError(OrderViewProjection.handle(sql, events, slot), () => Deferred.succeed(isRefused, undefined))
      }
      yield* Effect.gen(function* () {
        const head = yield* append(yield* orderLives(10))
        yield* Effect.flatMap(Database, ({ projections }) => Checkpoint.setUp(projections, OrderViewProjection))
        const locked = yield* Deferred.make<void>()
        const lock = other`LOCK TABLE ordinal.order_view IN ACCESS EXCLUSIVE MODE`.pipe(
          Effect.andThen(Deferred.succeed(locked, undefined)),
          Effect.andThen(Deferred.await(isRefused)),
          other.withTransaction
        )
        const holder = yield* Effect.forkChild(lock)
        yield* Deferred.await(locked)
        yield* viewReaches(head).pipe(Effect.provide(ProjectionRunner.layer(noticing)))
        yield* Fiber.join(holder)
        yield* assertViewIsFold
      }).pipe(Effect.provide(readerLayer(url, { sessionSettings: { lock_timeout: "50ms" } })), Effect.provide(layer))
      assert.isAbove(messages.length, 0)
    })
  )

  it.live("skips nothing while an unrelated session leaves a transaction open", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const other = yield* connect(url)
      yield* Effect.gen(function* () {
        const entries = yield* orderLives(30)
        yield* append(entries.slice(0, 30))
        yield* Effect.gen(function* () {
          yield* other`CREATE TABLE unrelated (it integer)`
          yield* other`SELECT count(*) FROM ordinal.events`
          yield* viewReaches(yield* append(entries.slice(30)))
        }).pipe(other.withTransaction)
        yield* assertViewIsFold
      }).pipe(Effect.provide(processLayer(url)))
    })
  )

  it.live("treats a gap in what it is given as a defect and applies nothing after it", () =>
    Effect.gen(function* () {
      const { layer, messages } = yield* complaints
      // Of no interest to the projection, so that nothing but their positions tells that one is missing.
      yield* appendEntries(entry(newStream(), 0, { events: 6 }))
      const [first, second, _, fourth, ...rest] = yield* readFrom(0n)
      const isTold = yield* Deferred.make<void>()
      let asked = 0
      const gapped = LogTail.of({
        position: Effect.succeed(0n),
        page: () => Effect.never,
        isReading: Effect.succeed(true),
        isFollowing: Effect.succeed(true),
        timeline: Effect.succeed(0),
        awaitEvent: () => Effect.never,
        pages: (after) => {
          if (++asked === 3) Deferred.doneUnsafe(isTold, Effect.void)
          return after === 0n ? Stream.make([first!, second!]) : Stream.make([fourth!, ...rest])
        }
      })
      yield* Deferred.await(isTold).pipe(
        Effect.provide(ProjectionRunner.layer(OrderViewProjection).pipe(Layer.provide(Layer.succeed(LogTail, gapped)))),
        Effect.provide(layer)
      )
      const progress = yield* ProjectionProgress
      assert.strictEqual(yield* progress.position(OrderViewProjection), 2n)
      assert.isAbove(messages.length, 0)
    }).pipe(Effect.provide(fresh(readerLayer)))
  )
})
