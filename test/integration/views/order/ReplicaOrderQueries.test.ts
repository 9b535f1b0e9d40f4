import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Logger, Redacted, References, Result } from "effect"
import * as CopiedReplica from "../../../../harness/faults/CopiedReplica.ts"
import { value, withOwnMetrics } from "../../../../harness/fixtures/OwnMetrics.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { onePerPool, processLayer } from "../../../../harness/views/ViewLayer.ts"
import { logLayer } from "../../../../harness/views/LogLayer.ts"
import { Database } from "../../../../src/database/Database.ts"
import { DatabaseUnavailable } from "../../../../src/database/DatabaseErrors.ts"
import { EventStore } from "../../../../src/eventstore/EventStore.ts"
import { id } from "../../../../src/eventstore/StreamId.ts"
import type { OrderId } from "../../../../src/order/OrderId.ts"
import * as ConsistencyToken from "../../../../src/projection/consistency/ConsistencyToken.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import { LetOut } from "../../../../src/projection/view/LetOut.ts"
import * as ReplicaReads from "../../../../src/projection/view/ReplicaReads.ts"
import { OrderQueries } from "../../../../src/views/order/OrderQueries.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import * as SqlOrderQueries from "../../../../src/views/order/SqlOrderQueries.ts"
import * as ReplicaOrderQueries from "../../../../src/views/order/ReplicaOrderQueries.ts"

/** A process that makes the view of a few orders, and reads it on a replica that has all of it so far. */
const withReplica = Effect.gen(function* () {
  const url = yield* freshDatabase
  const lives = yield* orderLives(6)
  const half = Math.floor(lives.length / 2)
  yield* Effect.gen(function* () {
    yield* (yield* OrderQueries).awaitPosition(yield* append(lives.slice(0, half)))
  }).pipe(Effect.provide(processLayer(url)), Effect.scoped)
  const replica = yield* CopiedReplica.make(url)
  const options = { replica: { url: Redacted.make(replica.url), wait: "50 millis" } } as const
  const services = yield* Layer.build(
    Layer.fresh(ReplicaOrderQueries.layer).pipe(Layer.provideMerge(processLayer(url, options)))
  )
  const queries = Context.get(services, OrderQueries)
  const count = Effect.map(queries.counts({}), ({ freshness }) => freshness)
  /** Reads until the replica has answered once more. */
  const answered = Effect.gen(function* () {
    const before = yield* outcome("answered")
    yield* Effect.repeat(Effect.andThen(count, Effect.delay(outcome("answered"), 5)), { until: (now) => now > before })
  })
  const more = Effect.gen(function* () {
    const head = yield* append(lives.slice(half))
    // The view has it at the primary; who waits by the queries waits for the replica, too.
    yield* Context.get(services, ProjectionProgress).awaitPosition(OrderViewProjection, head)
    return head
  }).pipe(Effect.provideContext(services))
  const tokenAt = Effect.fnUntraced(function* (position: bigint) {
    const log = Context.get(services, EventStore)
    const { logId } = yield* log.head
    const text = ConsistencyToken.format(logId, position, yield* ConsistencyToken.eventIdAt(log, position))
    return yield* Effect.fromResult(ConsistencyToken.parse(text))
  })
  const someOrder = id(lives[0]!.streamId) as OrderId
  return { answered, count, more, queries, replica, services, someOrder, tokenAt }
})

const outcome = (name: string) =>
  Effect.map(value(`orders_replica_reads_total{outcome="${name}"}`), (count) => count ?? 0)

it.live(
  "a replica that has what is demanded answers; one that is behind does not, and is asked again once it is not",
  () =>
    withOwnMetrics(
      Effect.gen(function* () {
        const { answered, count, more, queries, replica, someOrder, tokenAt } = yield* withReplica
        yield* answered
        const before = yield* count
        const head = yield* more
        assert.isAbove(Number(head), Number(before.position))
        // Nobody has been told more than the replica has, so it may answer.
        const token = yield* tokenAt(head)
        for (const freshness of [
          (yield* queries.get(someOrder, token)).freshness,
          (yield* queries.list({ filter: {}, sort: "updatedAt", limit: 5 }, token)).freshness,
          yield* count
        ]) {
          assert.strictEqual(freshness.position, head)
        }
        // A read has found that it is behind, or the guard has before it.
        assert.isAtLeast((yield* outcome("behind")) + (yield* outcome("away")), 3)

        yield* replica.catchUp
        yield* answered
        assert.strictEqual((yield* count).position, head)
      }).pipe(Effect.scoped)
    )
)

it.live("a place of a list that the replica does not know yet is read on the primary", () =>
  withOwnMetrics(
    Effect.gen(function* () {
      const { answered, count, more, queries, replica, services } = yield* withReplica
      const primary = yield* Effect.provideContext(SqlOrderQueries.make(), services)
      yield* answered
      const head = yield* more
      const list = { filter: {}, sort: "updatedAt", limit: 100 } as const
      const { next } = yield* primary.list(list)
      const polled = yield* queries.list({ ...list, cursor: next! })
      assert.isEmpty(polled.orders)
      assert.strictEqual(polled.freshness.position, head)
      // That was let out, so nothing older may be.
      assert.strictEqual((yield* count).position, head)
      yield* replica.catchUp
      yield* answered
      assert.strictEqual((yield* queries.counts({})).freshness.position, head)
    }).pipe(Effect.scoped)
  )
)

const unfit = {
  "it was promoted": ({ promote }: CopiedReplica.CopiedReplica) => promote,
  "its log is another one": ({ loseLast }: CopiedReplica.CopiedReplica) => loseLast
}

it.live.each(Object.entries(unfit))("a replica of which it is said that %s is not read", ([reason, happen]) => {
  const lines: Array<string> = []
  const logger = Logger.make(({ message }) => void lines.push(String(message)))
  return withOwnMetrics(
    Effect.gen(function* () {
      const { answered, count, queries, replica, someOrder } = yield* withReplica
      yield* answered
      const { position, token } = yield* count
      yield* happen(replica)
      yield* Effect.repeat(Effect.delay(count, 5), { until: () => lines.some((line) => line.includes(reason)) })
      const known = yield* Effect.fromResult(ConsistencyToken.parse(token))
      const { freshness, order } = yield* queries.get(someOrder, known)
      assert.isDefined(order)
      assert.deepInclude(freshness, { position, token })
    }).pipe(
      Effect.scoped,
      Effect.provide(Logger.layer([logger])),
      // An outage that began for another reason says more of itself there only.
      Effect.provideService(References.MinimumLogLevel, "Debug")
    )
  )
})

it.live(
  "a read that fails on the replica is answered by the primary, and is no reason to take the replica away",
  () => {
    const lines: Array<string> = []
    const logger = Logger.make(({ message }) => void lines.push(String(message)))
    return withOwnMetrics(
      Effect.gen(function* () {
        const { services } = yield* withReplica
        const { replica } = Context.get(services, Database)
        const { counts } = yield* Effect.provideContext(SqlOrderQueries.make(), services)
        const { read } = yield* ReplicaReads.make(replica!, OrderViewProjection).pipe(
          Effect.provide(LetOut.layer),
          Effect.provideContext(services)
        )
        const tooMuch = Effect.fail(new DatabaseUnavailable({ retryAfter: 1, cause: new Error("this is too much") }))
        const { freshness } = yield* read(undefined, tooMuch, counts({})).pipe(
          Effect.repeat({ while: () => Effect.map(Effect.delay(outcome("failed"), 5), (failed) => failed === 0) })
        )
        assert.isAbove(Number(freshness.position), 0)
        yield* Effect.repeat(
          Effect.andThen(read(undefined, counts({}), counts({})), Effect.delay(outcome("answered"), 5)),
          {
            until: (answered) => answered > 0
          }
        )
        assert.notInclude(lines.join(), "this is too much")
      }).pipe(
        Effect.scoped,
        Effect.provide(Logger.layer([logger])),
        Effect.provideService(References.MinimumLogLevel, "Debug")
      )
    )
  }
)

it.live("PGlite has no replica", () =>
  Effect.gen(function* () {
    const options = { replica: { url: Redacted.make("postgres://nobody@127.0.0.1:1/none") } }
    const built = yield* Effect.result(Layer.build(logLayer("pglite:memory", { ...onePerPool, ...options })))
    assert.isTrue(Result.isFailure(built))
    assert.include(String(Result.isFailure(built) && built.failure), "Only a PostgreSQL has replicas")
  }).pipe(Effect.scoped)
)
