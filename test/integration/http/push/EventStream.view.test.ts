/** A push followed by a query never shows older data, whichever process makes the view. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { connect } from "../../../../harness/servers/FreshDatabase.ts"
import { now } from "../../../../harness/clocks/RunningTime.ts"
import * as OrdersLayers from "../../../../src/orders/OrdersLayers.ts"
import { freshDatabase } from "../../../../harness/vitest/FreshDatabase.ts"
import { readerOrders } from "../../../../harness/orders/ReaderOrders.ts"
import { placement } from "../../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../../harness/clients/CheckedClient.ts"
import { type Options, start, type TestServer } from "../../../../harness/servers/ApiServer.ts"
import { followSse, followWs, type Follower, isEvent } from "../../../../harness/streams/StreamConnection.ts"

const serve = (options: Options) =>
  Effect.acquireRelease(
    Effect.promise(() => start(options)),
    (server) => Effect.promise(() => server.stop())
  )

/** Asks each server for the order of each event as soon as it is pushed, and counts the answers that were older. */
const askOnPush = async (servers: ReadonlyArray<TestServer>, follower: Follower, events: number) => {
  let older = 0
  let asked = 0
  let position = 0
  for (let event = 0; event < events; event++) {
    const pushed = await follower.until((message) => isEvent(message) && message.position > position)
    position = pushed.position
    const answers = await Promise.all(servers.map((server) => server.get(`/orders/${pushed.data.subject}`)))
    asked += answers.length
    older += answers.filter(({ body }) => !(body.version >= pushed.data.streamversion)).length
  }
  return { older, asked }
}

const placeMany = async (server: TestServer, count: number) => {
  let position = 0
  for (let placed = 0; placed < count; placed++) {
    const { body } = await server.send("POST", "/orders", placement())
    position = body.position
  }
  return position
}

describe("a push", () => {
  it.live("never runs ahead of what a query finds, here and in a process that only reads the view", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const writer = yield* serve({ orders: OrdersLayers.layerPostgres(url) })
      const reader = yield* serve({ orders: readerOrders(url) })
      yield* Effect.promise(async () => {
        await withCatalog(writer)
        const followers = [await followSse(writer.url), await followSse(reader.url), await followWs(reader.url)]
        for (const follower of followers) await follower.until(({ name }) => name === "caught-up")
        const asking = Promise.all(followers.map((follower) => askOnPush([writer, reader], follower, 80)))
        await placeMany(writer, 40)
        const results = await asking
        assert.deepStrictEqual(
          results,
          followers.map(() => ({ older: 0, asked: 160 }))
        )
        for (const follower of followers) {
          assert.isFalse(follower.messages.some(({ data }) => data.ahead === true))
          follower.cut()
        }
      })
    })
  )

  it.live("is held back for as long as the view is, in both processes", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const push = { heartbeat: Duration.millis(50) }
      // A lock holds the view back, and the projection must wait for it: one that gave up would not be live.
      const sessionSettings = { lock_timeout: "1min", statement_timeout: "1min" }
      const patient = OrdersLayers.layerPostgres(url, { sessionSettings })
      const writer = yield* serve({ orders: patient, push })
      const reader = yield* serve({ orders: readerOrders(url), push })
      yield* Effect.promise(() => withCatalog(writer))
      const follow = () => Promise.all([followSse(writer.url), followSse(reader.url), followWs(reader.url)])
      const followers = yield* Effect.promise(follow)
      const sql = yield* connect(url)
      const placed = Effect.promise(async () => {
        for (const follower of followers) await follower.until(({ name }) => name === "caught-up")
        const position = await placeMany(writer, 1)
        const beats = followers.map(async ({ messages, positions, until }) => {
          const had = messages.length
          await until((message) => messages.indexOf(message) >= had + 4)
          assert.deepStrictEqual(positions(), [])
        })
        await Promise.all(beats)
        return position
      })
      const position = yield* sql.withTransaction(
        Effect.andThen(sql`SELECT 1 FROM ordinal.checkpoints ORDER BY projection FOR UPDATE`, placed)
      )
      for (const follower of followers) {
        yield* Effect.promise(() => follower.until((message) => isEvent(message) && message.position === position))
        assert.deepStrictEqual(follower.positions(), [position - 1, position])
        assert.isFalse(follower.messages.some(({ data }) => data.ahead === true))
        follower.cut()
      }
    })
  )

  it.live("goes out at once while the view stands still, and says so", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.scoped(
        Effect.flatMap(serve({ orders: OrdersLayers.layerPostgres(url) }), (server) =>
          Effect.promise(() => withCatalog(server))
        )
      )
      const sql = yield* connect(url)
      yield* sql`UPDATE ordinal.checkpoints SET log_id = gen_random_uuid()`
      const server = yield* serve({ orders: OrdersLayers.layerPostgres(url) })
      yield* Effect.promise(async () => {
        const followers = [await followSse(server.url, "?after=0"), await followWs(server.url, "?after=0")]
        const began = now()
        const position = await placeMany(server, 1)
        for (const follower of followers) {
          const { data } = await follower.until((message) => message.position >= position && isEvent(message))
          assert.isTrue(data.ahead)
          follower.cut()
        }
        // A push waits longer than this for a view that claims to be live.
        assert.isBelow(now() - began, 5000)
      })
    })
  )
})
