import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../src/database/Database.ts"
import * as BatchSize from "../../../src/projection/run/BatchSize.ts"
import * as Checkpoint from "../../../src/projection/Checkpoint.ts"
import * as Lease from "../../../src/projection/run/Lease.ts"
import { TransactionOverdue } from "../../../src/projection/run/BoundedTransaction.ts"
import * as PoisonEvents from "../../../src/projection/run/PoisonEvents.ts"
import * as ParkedRows from "../../../src/projection/parking/ParkedRows.ts"
import { maxBatch, session } from "../../../src/projection/store/SqlProjectionStore.ts"
import * as ProjectionBatch from "../../../src/projection/run/ProjectionBatch.ts"
import { OrderViewProjection } from "../../../src/views/order/OrderViewProjection.ts"
import { readFrom } from "../../../src/testing/EventStoreEntries.ts"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { assertViewIsFold, stored } from "../../../harness/judges/OrderViewFold.ts"
import { fresh, readerLayer } from "../../../harness/views/ViewLayer.ts"

const key = { ...OrderViewProjection, slot: "live" as const }

/** Two runners that both believe to be the one; the log's events. */
const two = Effect.gen(function* () {
  const { projections: sql } = yield* Database
  yield* append(yield* orderLives(5))
  const [first, ...rest] = yield* readFrom(0n)
  yield* Checkpoint.create(sql, key)
  const runner = Effect.fnUntraced(function* () {
    const owner = crypto.randomUUID()
    assert.isTrue(yield* Lease.take(sql, key, owner, true))
    const row = yield* Checkpoint.stored(sql, key)
    const size = BatchSize.make(maxBatch.postgres)
    const poison = PoisonEvents.make()
    const onTrouble = () => Effect.void
    const work = { projection: OrderViewProjection, key, owner, size, poison, onTrouble }
    return { owner, row: row!, poison, apply: ProjectionBatch.make(session(sql), work) }
  })
  const [zombie, holder] = [yield* runner(), yield* runner()]
  return { sql, zombie, holder, events: [first!, ...rest] as const }
})

it.live("lets a runner that lost its lease write nothing", () =>
  Effect.gen(function* () {
    const { events, holder, sql, zombie } = yield* two
    assert.strictEqual((yield* Effect.flip(zombie.apply(zombie.row, events)))._tag, "CheckpointMoved")
    assert.deepStrictEqual(yield* stored(sql), [])
    yield* holder.apply(holder.row, events)
    yield* assertViewIsFold
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("lets nobody apply from where the checkpoint no longer is, whoever has the lease", () =>
  Effect.gen(function* () {
    const { events, holder, sql, zombie } = yield* two
    const [first, ...rest] = events
    const at = yield* holder.apply(holder.row, [first])
    yield* Lease.take(sql, key, zombie.owner, true)
    assert.strictEqual((yield* Effect.flip(zombie.apply(zombie.row, events)))._tag, "CheckpointMoved")
    assert.strictEqual((yield* Checkpoint.stored(sql, key))?.position, 1n)
    yield* zombie.apply(at, [rest[0]!, ...rest.slice(1)])
    yield* assertViewIsFold
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("sets nothing aside for an event that was overdue and has been applied after all", () =>
  Effect.gen(function* () {
    const { events, holder, sql } = yield* two
    const [first] = events
    yield* holder.apply(holder.row, [first])
    const overdue: Effect.Effect<void, TransactionOverdue> = Effect.fail(new TransactionOverdue())
    yield* Effect.flip(holder.poison.watch(first, overdue))
    assert.isTrue(holder.poison.hasOverdue([first]))
    const late = yield* Effect.flip(holder.apply(holder.row, [first]))
    assert.strictEqual(late._tag, "CheckpointMoved")
    assert.deepStrictEqual(yield* ParkedRows.list(sql), [])
    assert.strictEqual((yield* stored(sql)).length, 1)
  }).pipe(Effect.provide(fresh(readerLayer)))
)

it.live("reads nothing of the log by sequential scan, even in a session that began with an empty log", () =>
  Effect.gen(function* () {
    const { projections: sql } = yield* Database
    yield* Checkpoint.create(sql, key)
    const owner = crypto.randomUUID()
    assert.isTrue(yield* Lease.take(sql, key, owner, true))
    const scans = sql<{ readonly count: bigint }>`SELECT seq_scan AS count FROM pg_stat_xact_user_tables
      WHERE schemaname = 'ordinal' AND relname = 'events'`
    const { logId, position } = (yield* Checkpoint.stored(sql, key))!
    let from = { logId, position }
    for (const to of yield* Effect.andThen(append(yield* orderLives(5)), readFrom(0n))) {
      const [before, after] = yield* Effect.gen(function* () {
        const before = yield* scans
        yield* Checkpoint.advance(sql, key, owner, from, to, { repeatable: true })
        yield* Checkpoint.stored(sql, key)
        return [before, yield* scans]
      }).pipe(sql.withTransaction)
      assert.deepStrictEqual(after, before)
      from = { logId, position: to.position }
    }
  }).pipe(Effect.provide(fresh(readerLayer)))
)
