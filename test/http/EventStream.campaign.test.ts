/** The campaigns of `scripts/campaigns/push.ts`, small. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Logger } from "effect"
import * as PushCampaign from "../../scripts/campaigns/PushCampaign.ts"
import * as PushShop from "../../scripts/campaigns/PushShop.ts"
import { Orders } from "../../src/Orders.ts"
import { followWs } from "./streams.ts"
import { freshDatabase } from "../support/freshDatabase.ts"

const limits = { heartbeat: Duration.millis(20), stall: Duration.millis(500), close: Duration.millis(500) }
const backends = {
  memory: Effect.succeed(Orders.layerMemory),
  PostgreSQL: Effect.map(freshDatabase, Orders.layerPostgres)
}

describe.each(["memory", "PostgreSQL"] as const)("clients of event streams on %s", (backend) => {
  it.live("get everything once, in order, though their connections are cut 100 times", () =>
    Effect.gen(function* () {
      const shop = yield* PushShop.make(yield* backends[backend], limits, { customers: 3, lines: 1 })
      for (const transport of ["SSE", "WebSocket"] as const) {
        const all = yield* PushCampaign.resume(shop, { transport, cuts: 35, seed: 1 })
        const filtered = yield* PushCampaign.resume(shop, {
          transport,
          cuts: 15,
          customer: PushShop.customerOf(1),
          seed: 2
        })
        assert.deepStrictEqual([...all.faults, ...filtered.faults], [])
        assert.isAbove(all.events, 100)
        assert.isAbove(filtered.events, 10)
      }
    })
  )
})

describe("a WebSocket that is not read for a while", () => {
  it.live("is closed, and told where to go on once it is read again", () => {
    let isCut = false
    const logger = Logger.make(({ message }) => {
      isCut ||= String(message).includes("was cut off")
    })
    return Effect.gen(function* () {
      const patient = { ...limits, close: Duration.seconds(30) }
      const shop = yield* PushShop.make(Orders.layerMemory, patient, { customers: 1, lines: 100 })
      const follower = yield* Effect.promise(() => followWs(shop.url, `?after=${shop.start}`))
      follower.stopReading()
      const last = yield* Effect.repeat(shop.place, { until: () => isCut })
      follower.startReading()
      const { code, reason } = yield* Effect.promise(() => follower.ended)
      const got = follower.positions()
      assert.deepStrictEqual([code, reason], [4008, `slow consumer; resume after ${got.at(-1)}`])
      assert.deepStrictEqual(got, shop.expected().slice(0, got.length))
      const resumed = yield* Effect.promise(() => followWs(shop.url, `?after=${got.at(-1)}`))
      yield* Effect.promise(() => resumed.until(({ position }) => position >= last))
      assert.deepStrictEqual([...got, ...resumed.positions()], shop.expected())
      resumed.cut()
    }).pipe(Effect.provide(Logger.layer([logger])))
  })
})

describe("a crowd of clients", () => {
  it.live("each gets its slice, and those that never read are cut off and held back little", () =>
    Effect.gen(function* () {
      const shop = yield* PushShop.make(
        Orders.layerMemory,
        { ...limits, heartbeat: Duration.seconds(1) },
        { customers: 60, lines: 100 }
      )
      const crowd = { sse: 60, ws: 10, unfiltered: 5, deaf: 5, orders: 700 }
      const { faults, slow } = yield* PushCampaign.crowd(shop, crowd)
      assert.deepStrictEqual(faults, [])
      for (const end of slow) assert.match(end, /^(1|4008 slow consumer; resume after \d+|1006)$/)
    })
  )
})
