/** What is found in MongoDB in place of the order view: an older copy, the view of another log. On a server as in `mongodb.test.ts`. */
import { Effect, Layer } from "effect"
import { assert, beforeAll, describe } from "vitest"
import { it } from "@effect/vitest"
import { key } from "../../src/mongodb/MongoOrderProjection.ts"
import { ProjectionProgress } from "../../src/projection/consistency/ProjectionProgress.ts"
import { Projections } from "../../src/projection/Projections.ts"
import { Rebuilds } from "../../src/projection/rebuild/Rebuilds.ts"
import { OrderQueries } from "../../src/views/order/OrderQueries.ts"
import { assertMongoIsFold } from "../../harness/judges/MongoOrderFold.ts"
import { append, orderLives } from "../../harness/orders/OrderLives.ts"
import * as MongoServer from "../../harness/services/MongoServer.ts"
import { freshDatabase } from "../../harness/vitest/FreshDatabase.ts"
import * as MongoViewLayer from "../../harness/views/MongoViewLayer.ts"
import { rebuildEnds, silent } from "../../harness/views/ViewSteps.ts"

let server: MongoServer.MongoServer
beforeAll(async () => {
  server = await MongoServer.start()
  return server.close
})

const reaches = (position: bigint) =>
  Effect.flatMap(ProjectionProgress, (progress) => progress.awaitPosition(key, position))

const stopped = Effect.flatMap(Projections, ({ list }) =>
  list.pipe(
    Effect.delay("20 millis"),
    Effect.map((all) => all.find(({ name }) => name === key.name)!),
    Effect.repeat({ until: ({ status }) => status === "stopped" })
  )
)

const rebuilt = Effect.gen(function* () {
  const { id } = yield* (yield* Rebuilds).start(key.name, { compare: "all" })
  return yield* rebuildEnds(id)
})

const openAt = (url: string) => Effect.flatMap(MongoViewLayer.freshMongoDatabase(url), MongoViewLayer.open)

describe("the order view in MongoDB", () => {
  it.live("vouches for no older copy that is put in its place while its projection runs", () =>
    Effect.gen(function* () {
      const [database, opened] = [yield* freshDatabase, yield* openAt(server.url("x"))]
      const { collections, mongo } = opened
      yield* Effect.gen(function* () {
        yield* reaches(yield* append(yield* orderLives(20), 7))
        const copied = yield* Effect.promise(() => collections.rowsOf("live").find().toArray())
        yield* reaches(yield* append(yield* orderLives(5)))
        yield* Effect.promise(async () => {
          await mongo.database.collection<(typeof copied)[number]>("copy").insertMany(copied)
          await mongo.database.renameCollection("copy", "order_view", { dropTarget: true })
        })
        yield* append(yield* orderLives(1))
        const { problem } = yield* stopped
        assert.match(problem ?? "", /MongoDB has its rows up to position \d+, and its checkpoint is at \d+; rebuild it/)
        const queries = yield* OrderQueries
        assert.strictEqual((yield* Effect.flip(queries.counts({})))._tag, "DatabaseUnavailable")
        assert.containSubset(yield* rebuilt, { state: "completed" })
        yield* reaches(yield* append(yield* orderLives(2)))
        yield* assertMongoIsFold(opened)
      }).pipe(Effect.provide(MongoViewLayer.operatedLayer(database, opened)), Effect.provide(silent))
    })
  )

  it.live("is not that of another log, even while neither has an order", () =>
    Effect.gen(function* () {
      const [own, other, opened] = [yield* freshDatabase, yield* freshDatabase, yield* openAt(server.url("x"))]
      yield* Effect.gen(function* () {
        const note = yield* opened.collections.noteOf("live")
        const started = Layer.build(MongoViewLayer.operatedLayer(other, opened).pipe(Layer.fresh))
        assert.match(
          String(yield* Effect.flip(Effect.scoped(started))),
          /its table mongodb\.order_view has rows already/
        )
        const counts = Effect.flatMap(OrderQueries, (queries) => queries.counts({}))
        const refused = Effect.flip(counts).pipe(
          Effect.provide(MongoViewLayer.readerLayer(other, opened).pipe(Layer.fresh))
        )
        assert.strictEqual((yield* refused)._tag, "DatabaseUnavailable")
        assert.deepStrictEqual(yield* opened.collections.noteOf("live"), note)
        yield* counts
        yield* reaches(yield* append(yield* orderLives(2)))
        yield* assertMongoIsFold(opened)
      }).pipe(Effect.provide(MongoViewLayer.operatedLayer(own, opened)), Effect.provide(silent))
    })
  )

  it.live("is put in place by a rename that a majority of the servers has acknowledged", () =>
    Effect.gen(function* () {
      const [database, opened] = [yield* freshDatabase, yield* openAt(`${server.url("x")}&monitorCommands=true`)]
      const concerns: Array<unknown> = []
      opened.mongo.database.client.on("commandStarted", ({ command, commandName }) => {
        if (commandName === "renameCollection") concerns.push(command["writeConcern"])
      })
      yield* Effect.gen(function* () {
        assert.containSubset(yield* rebuilt, { state: "completed" })
      }).pipe(Effect.provide(MongoViewLayer.operatedLayer(database, opened)), Effect.provide(silent))
      assert.containSubset(concerns, [{ w: "majority" }])
    })
  )
})
