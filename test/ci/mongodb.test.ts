/**
 * What needs a server that speaks MongoDB's protocol: the contract of order queries, and all that an order view there promises.
 * The server is fetched, started and stopped here. It is no mongod: elections and secondaries can't be shown by it.
 */
import { Effect, Fiber, Layer } from "effect"
import { assert, beforeAll, describe, it as test } from "vitest"
import { it } from "@effect/vitest"
import { Database } from "../../src/database/Database.ts"
import { EventStore } from "../../src/eventstore/EventStore.ts"
import { viewIn } from "../../src/mongodb/OrderDocuments.ts"
import { key } from "../../src/mongodb/MongoOrderProjection.ts"
import { OrderId } from "../../src/order/OrderId.ts"
import { Audits } from "../../src/projection/audit/Audits.ts"
import { ProjectionProgress } from "../../src/projection/consistency/ProjectionProgress.ts"
import { ParkedStreams } from "../../src/projection/parking/ParkedStreams.ts"
import { Projections } from "../../src/projection/Projections.ts"
import type { Projection } from "../../src/projection/Projection.ts"
import { Rebuilds } from "../../src/projection/rebuild/Rebuilds.ts"
import { SqlError, ConnectionError } from "effect/sql/SqlError"
import { OrderQueries } from "../../src/views/order/OrderQueries.ts"
import { poisoned } from "../../harness/faults/PoisonedView.ts"
import * as EqualPages from "../../harness/campaigns/mongodb/EqualPages.ts"
import * as MongoAway from "../../harness/campaigns/mongodb/MongoAway.ts"
import * as SameDocuments from "../../harness/campaigns/mongodb/SameDocuments.ts"
import * as ProjectorKills from "../../harness/campaigns/ProjectorKills.ts"
import * as RebuildsCampaign from "../../harness/campaigns/RebuildsCampaign.ts"
import * as KeptView from "../../harness/judges/KeptView.ts"
import { assertMongoIsFold, documents } from "../../harness/judges/MongoOrderFold.ts"
import { append, orderLives } from "../../harness/orders/OrderLives.ts"
import * as Resources from "../../harness/servers/Resources.ts"
import * as MongoServer from "../../harness/services/MongoServer.ts"
import { freshDatabase } from "../../harness/vitest/FreshDatabase.ts"
import * as MongoViewLayer from "../../harness/views/MongoViewLayer.ts"
import { orderQueriesContract } from "../../harness/views/OrderQueriesContract.ts"
import { unaudited } from "../../harness/views/ViewLayer.ts"
import { rebuildEnds, silent } from "../../harness/views/ViewSteps.ts"

let server: MongoServer.MongoServer
beforeAll(async () => {
  server = await MongoServer.start()
  return server.close
})

const reaches = (position: bigint) =>
  Effect.flatMap(ProjectionProgress, (progress) => progress.awaitPosition(key, position))

const statusBecomes = (status: string) =>
  Effect.flatMap(Projections, ({ list }) =>
    list.pipe(
      Effect.delay("20 millis"),
      Effect.map((all) => all.find(({ name }) => name === key.name)!),
      Effect.repeat({ until: (info) => info.status === status })
    )
  )

const setUp = Effect.gen(function* () {
  const database = yield* freshDatabase
  const opened = yield* MongoViewLayer.open(yield* MongoViewLayer.freshMongoDatabase(server.url("x")))
  return { database, opened }
})

const rebuilt = Effect.gen(function* () {
  const { id } = yield* (yield* Rebuilds).start(key.name, { compare: "all" })
  return yield* rebuildEnds(id)
})

describe("the order view in MongoDB", () => {
  orderQueriesContract("MongoDB", Layer.unwrap(Effect.sync(() => MongoViewLayer.fresh(server.url("x")))))

  it.live("is not changed by what is written again, or late by a process that was deposed", () =>
    Effect.gen(function* () {
      const { database, opened } = yield* setUp
      const { collections, projection } = opened
      yield* Effect.gen(function* () {
        const { projections: sql } = yield* Database
        const head = yield* append(yield* orderLives(8), 7)
        yield* reaches(head)
        const before = yield* documents(opened)
        yield* assertMongoIsFold(opened)
        const events = yield* Effect.flatMap(EventStore, (log) => log.readAll({ after: 0n, limit: 500 }))
        const orders = events.filter(({ streamId }) => streamId.startsWith("order-"))
        // The same events again, in parts: what is there is ahead of each of them.
        for (const event of orders) yield* projection.handle(sql, [event], "live")
        assert.deepStrictEqual(yield* documents(opened), before)

        const deposed = yield* collections.place(sql, "live")
        assert.containSubset(yield* rebuilt, { state: "completed", different: 0 })
        const after = yield* documents(opened)
        assert.isTrue(after[0]!.revision > before[0]!.revision)
        // One with the place from before the rebuild writes newer versions, and orders that are not there.
        const view = viewIn(deposed)
        const entries = yield* viewIn(yield* collections.place(sql, "live")).entries(sql, "live", [
          `order-${after[0]!._id}`
        ])
        const [entry] = [...entries.values()]
        const late = { ...entry!, order: { ...entry!.order, version: 900 } }
        yield* view.upsert(sql, "live", [view.encode(late, undefined)])
        assert.deepStrictEqual(yield* documents(opened), after)
        const { [0]: first } = orders
        assert.isDefined(first)
        yield* Effect.promise(() => collections.rowsOf("live").deleteOne({ _id: after[1]!._id }))
        yield* view.upsert(sql, "live", [
          view.encode({ ...entry!, order: { ...entry!.order, id: after[1]!._id as OrderId } }, undefined)
        ])
        const current = viewIn(yield* collections.place(sql, "live"))
        assert.strictEqual((yield* current.entries(sql, "live", [`order-${after[1]!._id}`])).size, 0)
        const whole = orders.filter(({ streamId }) => streamId === `order-${after[1]!._id}`)
        yield* projection.handle(sql, [whole[0]!, ...whole.slice(1)], "live")
        assert.deepStrictEqual(yield* documents(opened), after)
      }).pipe(Effect.provide(MongoViewLayer.operatedLayer(database, opened)), Effect.provide(silent))
    })
  )

  it.live("is put in place once by a rebuild whose process dies between the rename and the commit", () =>
    Effect.gen(function* () {
      const { database, opened } = yield* setUp
      let deaths = 0
      const own = opened.projection.tables!
      const dying: Projection = {
        ...opened.projection,
        tables: {
          ...own,
          swap: (sql) =>
            Effect.tap(own.swap(sql), () => {
              deaths += 1
              const cause = new Error("the connection is gone")
              return deaths > 2 ? Effect.void : Effect.fail(new SqlError({ reason: new ConnectionError({ cause }) }))
            })
        }
      }
      yield* Effect.gen(function* () {
        yield* reaches(yield* append(yield* orderLives(15), 7))
        const writer = yield* Effect.forkChild(
          Effect.forever(Effect.andThen(Effect.flatMap(orderLives(1), append), Effect.sleep("50 millis")))
        )
        assert.containSubset(yield* rebuilt, { state: "completed", different: 0 })
        yield* Fiber.interrupt(writer)
        assert.strictEqual(deaths, 3)
        yield* reaches(yield* append(yield* orderLives(3)))
        yield* assertMongoIsFold(opened)
        const { counts } = yield* Effect.flatMap(OrderQueries, (queries) => queries.counts({}))
        assert.strictEqual(
          Object.values(counts).reduce((sum, count) => sum + count, 0),
          (yield* documents(opened)).length
        )
      }).pipe(Effect.provide(MongoViewLayer.operatedLayer(database, opened, dying)), Effect.provide(silent))
    })
  )

  it.live("begins anew when it is gone, and until then answers nothing older than it has told", () =>
    Effect.gen(function* () {
      const { database, opened } = yield* setUp
      const { collections, mongo } = opened
      yield* Effect.gen(function* () {
        const queries = yield* OrderQueries
        yield* reaches(yield* append(yield* orderLives(20), 7))
        const { freshness } = yield* queries.list({ filter: {}, sort: "placedAt", limit: 1 })
        yield* Effect.promise(() => mongo.database.dropDatabase())
        const refused = yield* Effect.flip(queries.list({ filter: {}, sort: "placedAt", limit: 1 }))
        assert.oneOf(refused._tag, ["DatabaseUnavailable", "ProjectionBehind"])
        const head = yield* append(yield* orderLives(2))
        yield* reaches(head)
        const again = queries
          .list({ filter: {}, sort: "placedAt", limit: 1 })
          .pipe(
            Effect.delay("20 millis"),
            Effect.retry({ while: ({ _tag }) => _tag === "DatabaseUnavailable" || _tag === "ProjectionBehind" })
          )
        assert.isTrue((yield* again).freshness.position >= freshness.position)
        const noted = collections.noteOf("live").pipe(Effect.delay("20 millis"))
        yield* Effect.repeat(noted, { until: (note) => note !== null && note.reached >= head })
        yield* assertMongoIsFold(opened)
      }).pipe(Effect.provide(MongoViewLayer.operatedLayer(database, opened)), Effect.provide(silent))
    })
  )

  it.live("is refused by whoever finds an older copy of it, until it is rebuilt", () =>
    Effect.gen(function* () {
      const { database, opened } = yield* setUp
      const { collections } = opened
      const layer = () => MongoViewLayer.operatedLayer(database, opened).pipe(Layer.fresh)
      const copy = yield* Effect.gen(function* () {
        yield* reaches(yield* append(yield* orderLives(20), 7))
        const copied = yield* Effect.promise(() => collections.rowsOf("live").find().toArray())
        yield* reaches(yield* append(yield* orderLives(5)))
        return copied
      }).pipe(Effect.provide(layer()), Effect.provide(silent))
      yield* Effect.promise(async () => {
        await collections.rowsOf("live").deleteMany({})
        await collections.rowsOf("live").insertMany(copy)
      })
      yield* Effect.gen(function* () {
        const queries = yield* OrderQueries
        const { problem } = yield* statusBecomes("stopped")
        assert.match(problem ?? "", /MongoDB has its rows up to position \d+, and its checkpoint is at \d+; rebuild it/)
        assert.strictEqual((yield* Effect.flip(queries.counts({})))._tag, "DatabaseUnavailable")
        assert.containSubset(yield* rebuilt, { state: "completed" })
        yield* reaches(yield* append(yield* orderLives(2)))
        yield* assertMongoIsFold(opened)
        yield* queries.counts({})
      }).pipe(Effect.provide(layer()), Effect.provide(silent))
    })
  )

  it.live("leaves a collection alone that is not its own", () =>
    Effect.gen(function* () {
      const { database, opened } = yield* setUp
      const rows = opened.mongo.database.collection<{ readonly _id: string }>("order_view")
      yield* Effect.promise(() => rows.insertOne({ _id: "mine" }))
      const started = Layer.build(MongoViewLayer.operatedLayer(database, opened))
      const error = yield* Effect.flip(Effect.scoped(started))
      assert.match(String(error), /its table mongodb\.order_view has rows already/)
      assert.deepStrictEqual(yield* Effect.promise(() => rows.find().toArray()), [{ _id: "mine" }])
    }).pipe(Effect.provide(silent))
  )

  it.live("parks an order that fails, and has PostgreSQL's documents once it is skipped or retried", () =>
    Effect.gen(function* () {
      const { database, opened } = yield* setUp
      const entries = yield* orderLives(8)
      const lengths = new Map<string, number>()
      for (const { events, streamId } of entries) lengths.set(streamId, (lengths.get(streamId) ?? 0) + events.length)
      const [skipped, retried] = [...lengths.keys()].sort((left, right) => lengths.get(right)! - lengths.get(left)!)
      const isPoison = ({ streamId, version }: { readonly streamId: string; readonly version: number }) =>
        version === 2 && (streamId === skipped || streamId === retried)
      const [mongo, postgres] = [poisoned(isPoison, opened.projection), poisoned(isPoison)]
      const idOf = (streamId: string | undefined) => OrderId.make(streamId!.slice("order-".length))
      yield* Effect.gen(function* () {
        const [queries, parkedStreams, progress] = [
          yield* OrderQueries,
          yield* ParkedStreams,
          yield* ProjectionProgress
        ]
        const { reads: sql } = yield* Database
        const head = yield* append(entries)
        yield* reaches(head)
        yield* progress.awaitPosition(postgres.projection, head)
        const parked = yield* parkedStreams.list
        assert.lengthOf(parked, 4)
        const own = parked.find(({ projection, streamId }) => projection === key.name && streamId === skipped)!
        const found = yield* queries.get(idOf(skipped))
        assert.strictEqual(found.order?.version, 1)
        assert.strictEqual(found.parkedAt, own.position)
        const polled = yield* queries.list({ filter: {}, sort: "updatedAt", limit: 100 })
        assert.strictEqual(polled.freshness.parked, 2)

        mongo.state.isFixed = true
        postgres.state.isFixed = true
        // Later events may not go without the one that is skipped: then the stream stays parked, in both.
        for (const { id, streamId } of parked) {
          yield* streamId === skipped ? Effect.ignore(parkedStreams.skip(id, 2)) : parkedStreams.retry(id)
        }
        assert.strictEqual((yield* queries.get(idOf(retried))).order?.version, lengths.get(retried!))
        assert.isAtLeast((yield* queries.get(idOf(skipped))).order!.version, 2)
        const rows = yield* sql<{ readonly _id: string; readonly document: string }>`
          SELECT order_id AS _id, document FROM ordinal.order_view ORDER BY order_id`
        const kept = (yield* documents(opened)).map(({ _id, document }) => ({ _id, document }))
        assert.deepStrictEqual(kept, [...rows] as unknown as typeof kept)
        // Whoever polls by a place from before gets the orders that have come back.
        const next = yield* queries.list({ filter: {}, sort: "updatedAt", limit: 100, cursor: polled.next! })
        assert.includeMembers(
          next.orders.map(({ orderId }) => orderId),
          [idOf(skipped), idOf(retried)]
        )
      }).pipe(
        Effect.provide(
          unaudited([mongo.projection, postgres.projection]).pipe(
            Layer.provideMerge(MongoViewLayer.readerLayer(database, opened))
          )
        ),
        Effect.provide(silent)
      )
    })
  )

  it.live("lists changes up to the checkpoint only, whatever is ahead of it, and misses none", () =>
    Effect.gen(function* () {
      const { database, opened } = yield* setUp
      yield* Effect.gen(function* () {
        const [queries, projections, { projections: sql }] = [yield* OrderQueries, yield* Projections, yield* Database]
        const first = yield* append(yield* orderLives(10))
        yield* reaches(first)
        yield* projections.pause(key.name)
        const head = yield* append(yield* orderLives(10))
        const events = yield* Effect.flatMap(EventStore, (log) => log.readAll({ after: first, limit: 500 }))
        const [one] = events.filter(({ streamId, version }) => streamId.startsWith("order-") && version === 1).slice(-1)
        yield* opened.projection.handle(sql, [one!], "live")
        const listed = yield* queries.list({ filter: {}, sort: "updatedAt", limit: 100 })
        assert.strictEqual(listed.freshness.position, first)
        const ahead = one!.streamId.slice("order-".length)
        assert.notInclude(
          listed.orders.map(({ orderId }) => orderId),
          ahead
        )
        // Ahead is not wrong: an audit compares it with the log at its own version.
        const audited = yield* Effect.flatMap(Audits, (audits) => audits.auditStream(key.name, one!.streamId))
        assert.deepStrictEqual(audited, { compared: 1, differences: [] })
        yield* projections.resume(key.name)
        yield* reaches(head)
        const rest = yield* queries.list({ filter: {}, sort: "updatedAt", limit: 100, cursor: listed.next! })
        const added = new Set(events.map(({ streamId }) => streamId.slice("order-".length)))
        assert.sameMembers(
          rest.orders.map(({ orderId }) => String(orderId)),
          [...added]
        )
        yield* assertMongoIsFold(opened)
      }).pipe(Effect.provide(MongoViewLayer.operatedLayer(database, opened)), Effect.provide(silent))
    })
  )

  it.live("is put right by a repair where somebody has changed it by hand", () =>
    Effect.gen(function* () {
      const { database, opened } = yield* setUp
      yield* Effect.gen(function* () {
        const audits = yield* Audits
        yield* reaches(yield* append(yield* orderLives(10)))
        const rows = opened.collections.rowsOf("live")
        const [changed, gone, later] = yield* documents(opened)
        yield* Effect.promise(async () => {
          await rows.updateOne({ _id: changed!._id }, { $set: { status: "returned", document: "{}" } })
          await rows.deleteOne({ _id: gone!._id })
          await rows.updateOne({ _id: later!._id }, { $set: { version: 999 } })
          const extra = { ...changed!, _id: "ord_00000000-0000-7000-8000-000000000000" }
          await rows.insertOne(extra)
        })
        const { differences } = yield* audits.auditSample(key.name, 1_000)
        const streams = [changed!._id, gone!._id, later!._id, "ord_00000000-0000-7000-8000-000000000000"].map(
          (id) => `order-${id}`
        )
        assert.sameMembers([...new Set(differences.map(({ streamId }) => streamId))], streams)
        for (const streamId of streams) assert.isDefined(yield* audits.repair(key.name, streamId))
        yield* assertMongoIsFold(opened)
      }).pipe(Effect.provide(MongoViewLayer.operatedLayer(database, opened)), Effect.provide(silent))
    })
  )

  const kept = async (run: (databaseUrl: string, view: KeptView.KeptView) => Promise<void>) => {
    const [databaseUrl, url] = [await Resources.freshDatabase(), server.url(`kept_${crypto.randomUUID().slice(0, 8)}`)]
    await Effect.runPromise(
      Effect.scoped(
        Effect.flatMap(MongoViewLayer.open(url), ({ projection }) =>
          Effect.promise(() => run(databaseUrl, KeptView.inMongoDb(url, projection)))
        )
      )
    )
  }

  test("is the fold of the log, and byte for byte PostgreSQL's documents, after kills of its maker under load", () =>
    kept(async (databaseUrl, view) => {
      const { acknowledged, faults, takeOvers } = await ProjectorKills.run({
        databaseUrl,
        kills: 3,
        allowed: Infinity,
        clients: 2,
        pause: 150,
        view
      })
      assert.deepStrictEqual(faults, [])
      assert.lengthOf(takeOvers, 3)
      assert.isAbove(acknowledged, 0)
      assert.deepStrictEqual(await SameDocuments.differences(databaseUrl, view), [])
    }))

  test("is rebuilt under load without anybody who reads seeing anything of it", () =>
    kept(async (databaseUrl, view) => {
      const plan = { databaseUrl, rebuilds: 2, clients: 2, pause: 100, commands: 40, compare: 20, view }
      const { faults, seconds } = await RebuildsCampaign.run(plan)
      assert.deepStrictEqual(faults, [])
      assert.lengthOf(seconds, 2)
    }))

  test("is listed page by page as PostgreSQL's is", async () => {
    const plan = { databaseUrl: await Resources.freshDatabase(), mongoUrl: server.url("pages"), orders: 200 }
    const { faults, orders } = await EqualPages.run(plan)
    assert.deepStrictEqual(faults, [])
    assert.strictEqual(orders, 200)
  })

  test("is answered 503 while MongoDB is away, takes no command's answer away, and comes back by itself", () =>
    kept(async (databaseUrl, { projection }) => {
      const plan = {
        databaseUrl,
        mongoUrl: server.url(`away_${crypto.randomUUID().slice(0, 8)}`),
        // Away at the start, then paused. A kill under a driver that was connected is left out: it does not find this server again.
        rounds: 1,
        projection
      }
      const { faults, orders } = await MongoAway.run(server, plan)
      assert.deepStrictEqual(faults, [])
      assert.strictEqual(orders, 2)
    }))
})
