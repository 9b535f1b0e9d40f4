/** A view may go back when PostgreSQL crashes, since its transactions are committed before they are on disk. */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import { EventStore } from "../../../../src/eventstore/EventStore.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { OrderQueries } from "../../../../src/views/order/OrderQueries.ts"
import { restoreLog } from "../../../../harness/faults/RestoredLog.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { processLayer, readerLayer } from "../../../../harness/views/ViewLayer.ts"

/** Takes the view back by its last event, or forward again, as the loss of a commit and its repetition do. */
const moveCheckpoint = Effect.fnUntraced(function* (by: bigint) {
  const { projections: sql } = yield* Database
  yield* sql`UPDATE ordinal.checkpoints c SET "position" = c."position" + ${by}, event_position = c."position" + ${by},
      event_id = (SELECT e.event_id FROM ordinal.events e WHERE e."position" = c."position" + ${by})
    WHERE projection = 'order-view' AND slot = 'live'`
})

it.live("a reader that was answered from a newer view waits until the view is there again", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    yield* Effect.gen(function* () {
      const head = yield* append(yield* orderLives(5))
      yield* (yield* OrderQueries).awaitPosition(head)
    }).pipe(Effect.provide(processLayer(url)), Effect.scoped)

    const services = yield* Layer.build(readerLayer(url))
    const queries = Context.get(services, OrderQueries)
    const { position: head } = yield* Context.get(services, EventStore).head
    const list = Effect.map(queries.list({ filter: {}, sort: "placedAt", limit: 5 }), ({ freshness }) => freshness)
    const counts = Effect.map(queries.counts({}), ({ freshness }) => freshness)
    assert.strictEqual((yield* list).position, head)

    yield* Effect.provideContext(moveCheckpoint(-1n), services)
    const error = yield* Effect.flip(counts)
    assert.containSubset(error, { _tag: "ProjectionBehind", required: head, current: head - 1n })
    const [{ orderId } = { orderId: undefined }] = (yield* Effect.provideContext(
      Effect.flatMap(Database, ({ reads }) => reads`SELECT order_id AS "orderId" FROM ordinal.order_view LIMIT 1`),
      services
    )) as ReadonlyArray<{ readonly orderId: never }>
    const waiting = yield* Effect.forkChild(queries.get(orderId!), { startImmediately: true })
    yield* Effect.provideContext(moveCheckpoint(1n), services)
    assert.strictEqual((yield* Fiber.join(waiting)).freshness.position, head)

    // A process that has told nothing yet has nothing to be older than.
    yield* Effect.provideContext(moveCheckpoint(-1n), services)
    const other = yield* Layer.build(Layer.fresh(readerLayer(url)))
    const count = Effect.map(Context.get(other, OrderQueries).counts({}), ({ freshness }) => freshness.position)
    assert.strictEqual(yield* count, head - 1n)

    // It has pushed the last event, since the view had it.
    Context.get(other, ProjectionProgress).committed(OrderViewProjection, head)
    const pushed = { _tag: "ProjectionBehind", required: head, current: head - 1n }
    assert.containSubset(yield* Effect.flip(count), pushed)
    const reading = yield* Effect.forkChild(count, { startImmediately: true })
    yield* Effect.provideContext(moveCheckpoint(1n), services)
    assert.strictEqual(yield* Fiber.join(reading), head)
  }).pipe(Effect.scoped)
)

it.live("a log that went back is served as it is now", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    yield* Effect.gen(function* () {
      yield* (yield* OrderQueries).awaitPosition(yield* append(yield* orderLives(5)))
    }).pipe(Effect.provide(processLayer(url)), Effect.scoped)
    const services = yield* Layer.build(readerLayer(url))
    const queries = Context.get(services, OrderQueries)
    const { position: head } = (yield* queries.counts({})).freshness

    // As after the restore of an older copy: both the log and the view have lost the last event.
    yield* Effect.andThen(moveCheckpoint(-1n), restoreLog(head - 1n)).pipe(Effect.provideContext(services))
    assert.strictEqual((yield* queries.counts({})).freshness.position, head - 1n)
  }).pipe(Effect.scoped)
)
