import type { PgClient } from "@effect/sql-pg"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option } from "effect"
import { TestClock } from "effect/testing"
import { Database } from "../../../../src/database/Database.ts"
import * as SqlProjectionStore from "../../../../src/projection/store/SqlProjectionStore.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import * as ProjectionRunner from "../../../../src/projection/run/ProjectionRunner.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { fresh, processLayer, readerLayer } from "../../../../harness/views/ViewLayer.ts"

const key = OrderViewProjection

/** A database of which only the checkpoints can be read; it counts how often. */
const checkpointsOnly = () => {
  const state = { looks: 0, position: 0n }
  const look = Effect.sync(() => {
    state.looks++
    return [{ projection: key.name, position: state.position }]
  })
  // The one statement that is made of it needs no more of a client than this.
  const client = Object.assign(() => look, { literal: (text: string) => text }) as unknown as PgClient.PgClient
  const database = Database.of({
    kind: "postgres",
    sessionSettings: {},
    appendConnection: Effect.succeed(client),
    appendLanes: 1,
    projectionConnection: Effect.succeed(client),
    projections: client,
    reads: client,
    listener: Option.none()
  })
  return {
    state,
    layer: ProjectionProgress.layer.pipe(
      Layer.provide(SqlProjectionStore.layer),
      Layer.provide(Layer.succeed(Database, database))
    )
  }
}

it.effect("looks at the checkpoints every 20 ms for as long as somebody waits, once for all of them", () => {
  const { layer, state } = checkpointsOnly()
  return Effect.gen(function* () {
    const progress = yield* ProjectionProgress
    progress.becomes(key, "live")
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(state.looks, 0)

    const many = yield* Effect.forkChild(
      Effect.all(
        Array.from({ length: 500 }, () => progress.awaitPosition(key, 4n)),
        { concurrency: "unbounded" }
      )
    )
    yield* TestClock.adjust("60 millis")
    assert.strictEqual(state.looks, 3)

    state.position = 5n
    yield* TestClock.adjust("20 millis")
    assert.deepStrictEqual(new Set(yield* Fiber.join(many)), new Set([5n]))
    assert.strictEqual(state.looks, 4)
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(state.looks, 4)
  }).pipe(Effect.provide(layer))
})

it.effect(
  "looks at once and then more and more rarely, if the projection has no runner here, which would say what is committed",
  () => {
    const { layer, state } = checkpointsOnly()
    return Effect.gen(function* () {
      const progress = yield* ProjectionProgress
      state.position = 5n
      const first = yield* Effect.forkChild(progress.awaitPosition(key, 4n))
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(state.looks, 1)
      assert.strictEqual(yield* Fiber.join(first), 5n)
      const waiting = yield* Effect.forkChild(progress.awaitPosition(key, 6n))
      // At once, and 5, 15 and 35 ms later.
      yield* TestClock.adjust("36 millis")
      assert.strictEqual(state.looks, 5)
      yield* TestClock.adjust("2 seconds")
      const { looks } = state
      yield* TestClock.adjust("1 second")
      assert.strictEqual(state.looks, looks + 10)
      // Whoever comes now waits no longer for that, once the pause that has begun is over.
      const last = yield* Effect.forkChild(progress.awaitPosition(key, 7n))
      yield* TestClock.adjust("136 millis")
      assert.isAtLeast(state.looks, looks + 13)
      state.position = 7n
      yield* TestClock.adjust("100 millis")
      assert.strictEqual(yield* Fiber.join(waiting), 7n)
      assert.strictEqual(yield* Fiber.join(last), 7n)
    }).pipe(Effect.provide(layer))
  }
)

it.effect("needs no look when the runner of this process reports the commit", () => {
  const { layer, state } = checkpointsOnly()
  return Effect.gen(function* () {
    const progress = yield* ProjectionProgress
    const waiting = yield* Effect.forkChild(progress.awaitPosition(key, 4n), { startImmediately: true })
    progress.committed(key, 4n)
    assert.strictEqual(yield* Fiber.join(waiting), 4n)
    assert.strictEqual(yield* progress.awaitPosition(key, 3n), 4n)
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual(state.looks, 0)
  }).pipe(Effect.provide(layer))
})

it.effect("stops looking when the last who waited has gone", () => {
  const { layer, state } = checkpointsOnly()
  return Effect.gen(function* () {
    const progress = yield* ProjectionProgress
    progress.becomes(key, "live")
    const waiting = yield* Effect.forkChild(progress.awaitPosition(key, 1n))
    yield* TestClock.adjust("40 millis")
    yield* Fiber.interrupt(waiting)
    assert.strictEqual(state.looks, 2)
    yield* TestClock.adjust("10 seconds")
    assert.isAtMost(state.looks, 3)
  }).pipe(Effect.provide(layer))
})

it.live("sees what another process has committed", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    yield* Effect.gen(function* () {
      const head = yield* append(yield* orderLives(10))
      const reader = Effect.flatMap(ProjectionProgress, (progress) => progress.awaitPosition(key, head)).pipe(
        Effect.provide(readerLayer(url))
      )
      assert.strictEqual(yield* reader, head)
    }).pipe(Effect.provide(processLayer(url)))
  })
)

it.live("says what the runner is doing", () =>
  Effect.gen(function* () {
    const progress = yield* ProjectionProgress
    assert.strictEqual(yield* progress.status(key), undefined)
    const head = yield* append(yield* orderLives(10))
    // A commit may be seen before the runner has been told of it.
    const isLive = progress
      .status(key)
      .pipe(Effect.delay("5 millis"), Effect.repeat({ until: (status) => status === "live" }))
    yield* progress.awaitPosition(key, head).pipe(Effect.andThen(isLive), Effect.provide(ProjectionRunner.layer(key)))
  }).pipe(Effect.provide(fresh(readerLayer)))
)
