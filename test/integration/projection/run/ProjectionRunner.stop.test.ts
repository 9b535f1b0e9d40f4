import { assert, it } from "@effect/vitest"
import { Effect, Layer, Logger, Stream } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import { LogTail } from "../../../../src/eventstore/tail/LogTail.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import * as BatchSize from "../../../../src/projection/run/BatchSize.ts"
import * as PoisonEvents from "../../../../src/projection/run/PoisonEvents.ts"
import * as ProjectionRunner from "../../../../src/projection/run/ProjectionRunner.ts"
import * as ProjectionWork from "../../../../src/projection/run/ProjectionWork.ts"
import { ProjectionStore } from "../../../../src/projection/store/ProjectionStore.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { readFrom } from "../../../../src/testing/EventStoreEntries.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { assertViewIsFold, stored } from "../../../../harness/judges/OrderViewFold.ts"
import { restoreLog } from "../../../../harness/faults/RestoredLog.ts"
import { fresh, readerLayer } from "../../../../harness/views/ViewLayer.ts"

/** Runs the projection until it stops; what it then said. */
const lastWords = Effect.fnUntraced(function* (projection = OrderViewProjection) {
  const said: Array<string> = []
  const logger = Logger.make(({ message }) => said.push(String(message)))
  yield* ProjectionRunner.run(projection).pipe(Effect.provide(Logger.layer([logger])))
  const progress = yield* ProjectionProgress
  assert.strictEqual(yield* progress.status(projection), "stopped")
  return said.at(-1) ?? ""
})

const caughtUp = Effect.gen(function* () {
  const head = yield* append(yield* orderLives(5))
  const progress = yield* ProjectionProgress
  yield* progress
    .awaitPosition(OrderViewProjection, head)
    .pipe(Effect.provide(ProjectionRunner.layer(OrderViewProjection)))
  return head
})

it.live("stops at a checkpoint of another log and demands a rebuild", () =>
  Effect.gen(function* () {
    yield* caughtUp
    const { reads: sql } = yield* Database
    yield* sql`UPDATE ordinal.checkpoints SET log_id = gen_random_uuid()`
    assert.match(yield* lastWords(), /of log .* but this is log .* rebuild/)
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("stops at a checkpoint above the log's head", () =>
  Effect.gen(function* () {
    const head = yield* caughtUp
    const { reads: sql } = yield* Database
    yield* sql`UPDATE ordinal.checkpoints SET "position" = ${head + 1n}`
    const before = yield* stored(sql)
    assert.include(yield* lastWords(), `at position ${head + 1n}, but the log ends at ${head}; rebuild`)
    assert.deepStrictEqual(yield* stored(sql), before)
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("stops at a checkpoint of history that was lost, however far the log has grown since", () =>
  Effect.gen(function* () {
    const head = yield* caughtUp
    const { reads: sql } = yield* Database
    const progress = yield* ProjectionProgress
    yield* restoreLog(head - 3n)
    while ((yield* append(yield* orderLives(5))) <= head);
    const before = yield* stored(sql)
    assert.include(yield* lastWords(), `event at position ${head}, where its checkpoint is, is another one`)
    assert.deepStrictEqual(yield* stored(sql), before)
    const [row] = yield* sql<{ readonly problem: string }>`SELECT problem FROM ordinal.checkpoints`
    assert.match(row?.problem ?? "", /rebuild it from the log/)
    assert.strictEqual(yield* progress.position(OrderViewProjection), 0n)
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("goes on from a checkpoint whose position an older program moved, and knows its event again", () =>
  Effect.gen(function* () {
    yield* caughtUp
    const { reads: sql } = yield* Database
    for (const change of [
      sql`event_id = gen_random_uuid(), event_position = "position" - 1`,
      sql`event_id = NULL, event_position = NULL`
    ]) {
      yield* sql`UPDATE ordinal.checkpoints SET ${change}`
      yield* caughtUp
      yield* assertViewIsFold
      const [row] = yield* sql`SELECT c."position" = c.event_position AND e.event_id = c.event_id AS "isKnown"
        FROM ordinal.checkpoints c JOIN ordinal.events e ON e."position" = c."position"`
      assert.deepStrictEqual(row, { isKnown: true })
    }
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("stops when it is given another event than its log has, and applies none of them", () =>
  Effect.gen(function* () {
    yield* append(yield* orderLives(5))
    const [first, ...rest] = yield* readFrom(0n)
    const { reads: sql } = yield* Database
    const last = { ...rest.at(-1)!, eventId: crypto.randomUUID() }
    const replaced = LogTail.of({
      position: Effect.succeed(0n),
      page: () => Effect.never,
      isReading: Effect.succeed(true),
      isFollowing: Effect.succeed(true),
      timeline: Effect.succeed(0),
      awaitEvent: () => Effect.never,
      pages: () => Stream.make([first!, ...rest.slice(0, -1), last])
    })
    const said = yield* lastWords().pipe(Effect.provide(Layer.succeed(LogTail, replaced)))
    assert.match(said, /where the log has another one; rebuild/)
    assert.deepStrictEqual(yield* stored(sql), [])
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("stops when it is given events that its log does not have, and applies none of them", () =>
  Effect.gen(function* () {
    yield* append(yield* orderLives(5))
    const events = yield* readFrom(0n)
    const { reads: sql } = yield* Database
    yield* sql`UPDATE ordinal.log_head SET "position" = 3`
    const [first, ...rest] = events
    const longer = LogTail.of({
      position: Effect.succeed(0n),
      page: () => Effect.never,
      isReading: Effect.succeed(true),
      isFollowing: Effect.succeed(true),
      timeline: Effect.succeed(0),
      awaitEvent: () => Effect.never,
      pages: () => Stream.make([first!, ...rest])
    })
    assert.match(yield* lastWords().pipe(Effect.provide(Layer.succeed(LogTail, longer))), /ends at 3; rebuild/)
    assert.deepStrictEqual(yield* stored(sql), [])
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("stops where the view was made by a later version of the projection", () =>
  Effect.gen(function* () {
    yield* caughtUp
    const { reads: sql } = yield* Database
    yield* sql`UPDATE ordinal.checkpoints SET version = 99`
    assert.match(yield* lastWords(), /version 99 of the projection made its view; rebuild/)
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("stops where the view was made by another version and can't be built beside it", () =>
  Effect.gen(function* () {
    yield* caughtUp
    const { tables: _, ...single } = OrderViewProjection
    assert.match(
      yield* lastWords({ ...single, version: 99 }),
      new RegExp(`version ${single.version} of the projection made its view; rebuild`)
    )
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("what follows a log that went back stops where it serves, and tries again where it fills a shadow", () =>
  Effect.gen(function* () {
    const tail = yield* LogTail
    const { shared } = yield* ProjectionStore
    let timeline = 0
    const wentBack = { ...tail, timeline: Effect.sync(() => timeline++) }
    const [name, version] = [OrderViewProjection.name, OrderViewProjection.version]
    const ends = (slot: "live" | "shadow") => {
      const work: ProjectionWork.Work = {
        projection: OrderViewProjection,
        key: { name, version, slot },
        owner: "00000000-0000-4000-8000-000000000000",
        size: BatchSize.make(1),
        poison: PoisonEvents.make(),
        onCheckpoint: () => Effect.void,
        onTrouble: () => Effect.void
      }
      const start = { logId: "", position: 0n, head: 0n, parked: 0 }
      return Effect.map(Effect.flip(ProjectionWork.follow(shared, wentBack, work, start)), ({ _tag }) => _tag)
    }
    assert.deepStrictEqual([yield* ends("live"), yield* ends("shadow")], ["ProjectionStopped", "CheckpointMoved"])
  }).pipe(Effect.provide(fresh(readerLayer)))
)
