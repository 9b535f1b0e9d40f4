/** The judge of cached orders, over the view in memory and over PostgreSQL. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option } from "effect"
import { value, withOwnMetrics } from "../../../harness/fixtures/OwnMetrics.ts"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { fresh, memoryLayer, processLayer } from "../../../harness/views/ViewLayer.ts"
import * as CachedOrderQueries from "../../../src/cache/CachedOrderQueries.ts"
import * as MemoryOrderCache from "../../../src/cache/MemoryOrderCache.ts"
import { CacheUnavailable, type CachedValue, OrderCache } from "../../../src/cache/OrderCache.ts"
import { Database } from "../../../src/database/Database.ts"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import { restoreLog } from "../../../harness/faults/RestoredLog.ts"
import { LetOut } from "../../../src/projection/view/LetOut.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { id } from "../../../src/eventstore/StreamId.ts"
import type { OrderId } from "../../../src/order/OrderId.ts"
import * as ConsistencyToken from "../../../src/projection/consistency/ConsistencyToken.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import { OrderQueries } from "../../../src/views/order/OrderQueries.ts"
import * as WrittenOrders from "../../../src/views/order/WrittenOrders.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { newOrderId, request, stock } from "../../../harness/orders/BothOrders.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

/** A cache that a test can look into, and take away. */
const watched = () => {
  const cache = MemoryOrderCache.make()
  const state = { isAway: false, written: new Array<CachedValue>(), given: undefined as string | undefined }
  const away = Effect.fail(new CacheUnavailable({ problem: "It is away." }))
  const port: OrderCache = {
    read: (keys) => {
      if (state.isAway) return away
      return state.given === undefined ? cache.read(keys) : Effect.succeed(keys.map(() => state.given))
    },
    write: (values) => {
      if (state.isAway) return away
      state.written.push(...values)
      return cache.write(values)
    }
  }
  return { port, state }
}

const outcome = (name: string) =>
  Effect.map(value(`orders_cache_reads_total{outcome="${name}"}`), (count) => count ?? 0)

const adapters = { memory: memoryLayer, PostgreSQL: fresh(processLayer) }

describe.each(Object.entries(adapters))("cached orders over %s", (name, layer) => {
  const withCache = <A, E>(
    use: (given: {
      readonly queries: OrderQueries["Service"]
      readonly inner: OrderQueries["Service"]
      readonly services: Context.Context<EventStore | LogTail | OrderQueries>
      readonly cache: ReturnType<typeof watched>
      /** Stores these of the lives, and waits for the view. */
      readonly more: (count: number) => Effect.Effect<ConsistencyToken.ConsistencyToken>
      readonly changed: () => OrderId
      /** Stores some, the last of which is of an order that changes again, and waits for the view. */
      readonly placed: Effect.Effect<OrderId>
      /** Stores some, until the order has changed, and waits for the view. */
      readonly change: (orderId: OrderId) => Effect.Effect<unknown>
      /** Reads until the cache has answered. */
      readonly hit: (orderId: OrderId, token?: ConsistencyToken.ConsistencyToken) => Effect.Effect<unknown>
    }) => Effect.Effect<A, E>,
    /** Changes the queries behind the cache. */
    behind: (inner: OrderQueries["Service"]) => OrderQueries["Service"] = (inner) => inner
  ) =>
    Effect.gen(function* () {
      const services = yield* Layer.build(Layer.fresh(layer))
      const cache = watched()
      const inner = Context.get(services, OrderQueries)
      const queries = yield* CachedOrderQueries.make(behind(inner), cache.port).pipe(
        Effect.provide(LetOut.layer),
        Effect.provideContext(services)
      )
      const lives = [...(yield* orderLives(20))]
      const log = Context.get(services, EventStore)
      const { logId } = yield* log.head
      let last = ""
      const more = (count: number) =>
        Effect.gen(function* () {
          const some = lives.splice(0, count)
          last = some.at(-1)!.streamId
          const head = yield* append(some)
          yield* inner.awaitPosition(head)
          const text = ConsistencyToken.format(logId, head, yield* ConsistencyToken.eventIdAt(log, head))
          return yield* Effect.fromResult(ConsistencyToken.parse(text))
        }).pipe(Effect.provideContext(services), Effect.orDie)
      const isOf = (orderId: OrderId) => (entry: (typeof lives)[number]) => id(entry.streamId) === orderId
      const change = (orderId: OrderId) => Effect.suspend(() => more(lives.findIndex(isOf(orderId)) + 1))
      const placed = Effect.suspend(() => {
        const orderIds = lives.map(({ streamId }) => id(streamId) as OrderId)
        const orderId = orderIds.find((orderId, index) => orderIds.includes(orderId, index + 1))!
        return Effect.as(change(orderId), orderId)
      })
      const hit = (orderId: OrderId, token?: ConsistencyToken.ConsistencyToken) =>
        Effect.gen(function* () {
          const before = yield* outcome("hit")
          yield* Effect.repeat(Effect.andThen(queries.get(orderId, token), Effect.delay(outcome("hit"), 5)), {
            until: (now) => now > before
          })
        }).pipe(Effect.orDie)
      const changed = () => id(last as never) as OrderId
      return yield* use({ queries, inner, services, cache, more, changed, placed, change, hit })
    }).pipe(Effect.scoped, withOwnMetrics)

  it.live("an order that was read is in the cache, and is served from there as it is in the view", () =>
    withCache(({ changed, hit, inner, more, queries }) =>
      Effect.gen(function* () {
        const token = yield* more(10)
        const orderId = changed()
        yield* hit(orderId, token)
        const cached = yield* queries.get(orderId, token)
        const there = yield* inner.get(orderId, token)
        assert.deepStrictEqual(cached.order, there.order)
        assert.deepStrictEqual(cached.freshness, { ...there.freshness, behind: 0, lag: 0 })
      })
    )
  )

  it.live("an order that changed is read anew; one that did not is served for tokens of later events of others", () =>
    withCache(({ changed, hit, inner, more, queries }) =>
      Effect.gen(function* () {
        const first = yield* more(12)
        const orderId = changed()
        yield* hit(orderId, first)
        for (let round = 0; round < 8; round++) {
          const token = yield* more(1)
          const isSame = changed() !== orderId
          const answer = yield* queries.get(orderId, token)
          assert.deepStrictEqual(answer.order, (yield* inner.get(orderId, token)).order)
          assert.isAtLeast(Number(answer.freshness.position), Number(token.position))
          if (isSame) yield* hit(orderId, token)
        }
      })
    )
  )

  it.live("an order that changed is read anew without a token, too", () =>
    withCache(({ change, hit, inner, placed, queries }) =>
      Effect.gen(function* () {
        const orderId = yield* placed
        yield* hit(orderId)
        yield* change(orderId)
        assert.deepStrictEqual((yield* queries.get(orderId)).order, (yield* inner.get(orderId)).order)
      })
    )
  )

  it.live(
    "an order that changed is read anew where the view is made elsewhere, once this process knows of the event",
    () =>
      withCache(
        ({ change, hit, inner, placed, queries }) =>
          Effect.gen(function* () {
            const orderId = yield* placed
            yield* hit(orderId)
            yield* change(orderId)
            const { order } = yield* inner.get(orderId)
            yield* Effect.repeat(Effect.delay(queries.get(orderId), 5), {
              until: (answer) => answer.order?.version === order!.version
            })
          }),
        (inner) => ({ ...inner, position: Effect.succeed(0n) })
      )
  )

  it.live("a value of another history, of an older position or of no order is not served, whatever it says", () =>
    withCache(({ cache, changed, inner, more, queries, hit }) =>
      Effect.gen(function* () {
        yield* more(12)
        const orderId = changed()
        yield* hit(orderId)
        const [{ value: right } = { value: "" }] = cache.state.written
        const token = yield* more(6)
        const [made = "", version = "", ...text] = right.split(" ")
        const [position = "", check = ""] = made.split(".")
        const forged = [
          "",
          "nonsense",
          `${token.position}.${"0".repeat(12)} ${version} ${text.join(" ")}`,
          `${position}.${check.split("").reverse().join("")} ${version} ${text.join(" ")}`,
          `${BigInt(position) + 1_000_000n}.${check} ${version} ${text.join(" ")}`,
          `${made} ${Number(version) + 1} ${text.join(" ")}`,
          `${made} ${version} {"orderId":"ord_other","version":${version}}`
        ]
        const before = yield* outcome("hit")
        for (const value of forged) {
          cache.state.given = value
          assert.deepStrictEqual((yield* queries.get(orderId, token)).order, (yield* inner.get(orderId)).order, value)
        }
        assert.strictEqual(yield* outcome("hit"), before)
      })
    )
  )

  it.live("a token that this log did not issue is refused, though the order is in the cache", () =>
    withCache(({ changed, hit, more, queries }) =>
      Effect.gen(function* () {
        const { position } = yield* more(10)
        yield* hit(changed())
        const error = yield* Effect.flip(queries.get(changed(), { position, check: "0123456789ab" }))
        assert.strictEqual(error._tag, "InvalidToken")
      })
    )
  )

  it.live("a process that starts reads the log from its last event on, and has hits before more is written", () =>
    withCache(({ cache, changed, more, services }) =>
      Effect.gen(function* () {
        const token = yield* more(12)
        const tail = Context.get(services, LogTail)
        const asked: Array<bigint> = []
        const watched = LogTail.of({ ...tail, pages: (after) => (asked.push(after), tail.pages(after)) })
        const started = yield* CachedOrderQueries.make(Context.get(services, OrderQueries), cache.port).pipe(
          Effect.provide(LetOut.layer),
          Effect.provideService(LogTail, watched),
          Effect.provideContext(services)
        )
        yield* Effect.repeat(Effect.andThen(started.get(changed()), Effect.delay(outcome("hit"), 5)), {
          until: (hits) => hits > 0
        })
        assert.deepStrictEqual(asked, [token.position - 1n])
      }).pipe(Effect.scoped)
    )
  )

  // Only a database can be away.
  if (name === "PostgreSQL")
    it.live("nothing is served while the log can't be read, nor of what it has lost meanwhile", () =>
      withCache(({ hit, inner, more, placed, queries, services }) =>
        Effect.gen(function* () {
          const database = Option.getOrThrow(Context.getOption(services, Database))
          const orderId = yield* placed
          const token = yield* more(1)
          yield* hit(orderId, token)
          yield* database.reads`ALTER SCHEMA ordinal RENAME TO away`
          const tail = Context.get(services, LogTail)
          yield* Effect.repeat(Effect.delay(tail.isFollowing, 5), { until: (isFollowing) => !isFollowing })
          assert.strictEqual((yield* Effect.flip(queries.get(orderId)))._tag, "DatabaseUnavailable")
          assert.strictEqual(yield* outcome("blind"), 1)
          yield* database.reads`ALTER SCHEMA away RENAME TO ordinal`.pipe(
            Effect.andThen(restoreLog(token.position - 1n)),
            database.reads.withTransaction,
            Effect.provideService(Database, database)
          )
          for (const { get } of [inner, queries]) {
            assert.strictEqual((yield* Effect.flip(get(orderId, token)))._tag, "InvalidToken")
          }
          yield* Effect.repeat(Effect.delay(tail.isFollowing, 5), { until: (isFollowing) => isFollowing })
          assert.strictEqual((yield* Effect.flip(queries.get(orderId, token)))._tag, "InvalidToken")
        })
      )
    )

  it.live("what the projection has written of history that was lost meanwhile is not served", () =>
    withCache(({ cache, inner, placed, services }) =>
      Effect.gen(function* () {
        const orderId = yield* placed
        const { freshness, order } = yield* inner.get(orderId)
        const written = Context.get(yield* Layer.build(WrittenOrders.layer), WrittenOrders.WrittenOrders)!
        const queries = yield* CachedOrderQueries.make(inner, cache.port).pipe(
          Effect.provide(LetOut.layer),
          Effect.provideService(WrittenOrders.WrittenOrders, written),
          Effect.provideContext(services)
        )
        const { position } = freshness
        const document = order!.text.replace(/"customer-\d"/, `"customer-lost"`)
        written.offer([{ orderId, version: order!.version, position, eventId: crypto.randomUUID(), document }])
        yield* Effect.repeat(Effect.sleep(5), { until: () => cache.state.written.length > 0 })
        const read = Effect.gen(function* () {
          assert.deepStrictEqual((yield* queries.get(orderId)).order, order)
          return yield* outcome("hit")
        })
        yield* Effect.repeat(Effect.delay(read, 5), { until: (hits) => hits > 0 })
      }).pipe(Effect.scoped)
    )
  )

  it.live("without the cache, orders are read as without one", () =>
    withCache(({ cache, changed, inner, more, queries }) =>
      Effect.gen(function* () {
        const token = yield* more(10)
        cache.state.isAway = true
        assert.deepStrictEqual((yield* queries.get(changed(), token)).order, (yield* inner.get(changed(), token)).order)
        assert.strictEqual(yield* outcome("away"), 1)
      })
    )
  )
})

it.live(
  "what the projection has written is in the cache before anybody has read it, and other processes serve it",
  () =>
    Effect.gen(function* () {
      const { port, state } = watched()
      const url = yield* freshDatabase
      const process = yield* Layer.build(
        Layer.fresh(OrdersLayers.layerPostgres(url, patientConnections)).pipe(
          Layer.provide([Layer.succeed(OrderCache, port), Layer.fresh(WrittenOrders.layer)])
        )
      )
      const orders = Context.get(process, Orders)
      yield* stock(orders)
      const { orderId, token } = yield* orders.place(request(newOrderId(1)))
      yield* Effect.repeat(Effect.sleep(5), { until: () => state.written.some(({ key }) => key.endsWith(orderId)) })

      const readOnly = { ...port, write: () => Effect.void }
      const other = yield* Layer.build(
        Layer.fresh(OrdersLayers.layerPostgres(url, patientConnections)).pipe(
          Layer.provide(Layer.succeed(OrderCache, readOnly))
        )
      )
      const read = Effect.andThen(
        Context.get(other, Orders).get(orderId, { token, wait: "30 seconds" }),
        outcome("hit")
      )
      // It has to have followed the log so far.
      yield* Effect.repeat(Effect.delay(read, 5), { until: (hits) => hits > 0 })
    }).pipe(Effect.scoped, withOwnMetrics)
)
