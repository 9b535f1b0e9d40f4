/**
 * `node scripts/campaigns/push.ts [--quick]`: clients of the event streams whose connections are cut, a crowd under load,
 * and many that never read.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Duration, Effect, Layer, References } from "effect"
import { Orders } from "../../src/Orders.ts"
import * as BenchDatabase from "../bench/BenchDatabase.ts"
import * as PushCampaign from "./PushCampaign.ts"
import * as PushShop from "./PushShop.ts"

const plan = process.argv.includes("--quick")
  ? { cuts: 100, orders: 700, deafOrders: 300, deaf: 50 }
  : { cuts: 1000, orders: 3000, deafOrders: 1000, deaf: 500 }

const limits = { heartbeat: Duration.millis(50), stall: Duration.seconds(2), close: Duration.seconds(1) }

const resumes = Effect.fnUntraced(function* (serverUrl: string) {
  const orders = Orders.layerPostgres(yield* BenchDatabase.fresh(serverUrl))
  const shop = yield* PushShop.make(orders, limits, { customers: 5, lines: 2 })
  const faults: Array<string> = []
  let events = 0
  for (const transport of ["SSE", "WebSocket"] as const) {
    for (const customer of [undefined, PushShop.customerOf(1)]) {
      const filter = customer === undefined ? {} : { customer }
      const found = yield* PushCampaign.resume(shop, { transport, cuts: plan.cuts, seed: plan.cuts, ...filter })
      events += found.events
      faults.push(...found.faults)
    }
  }
  return { events, faults }
}, Effect.scoped)

const crowd = Effect.fnUntraced(function* (serverUrl: string) {
  const orders = Orders.layerPostgres(yield* BenchDatabase.fresh(serverUrl))
  const shop = yield* PushShop.make(
    orders,
    { ...limits, heartbeat: Duration.seconds(1) },
    { customers: 60, lines: 100 }
  )
  return yield* PushCampaign.crowd(shop, { sse: 60, ws: 10, unfiltered: 5, deaf: 5, orders: plan.orders })
}, Effect.scoped)

/** They are not cut off meanwhile: what they cost is what counts. */
const deaf = Effect.fnUntraced(function* (serverUrl: string) {
  const orders = Orders.layerPostgres(yield* BenchDatabase.fresh(serverUrl))
  const patient = { heartbeat: Duration.seconds(15), stall: Duration.minutes(10), close: Duration.seconds(1) }
  const shop = yield* PushShop.make(orders, patient, { customers: 5, lines: 100 })
  return yield* PushCampaign.deafCost(shop, { deaf: plan.deaf, orders: plan.deafOrders })
}, Effect.scoped)

Effect.gen(function* () {
  const { url } = yield* BenchDatabase.server
  const resumed = yield* resumes(url)
  console.log(`connections were cut ${4 * plan.cuts} times`)
  const crowded = yield* crowd(url)
  console.log("the crowd is done")
  const cost = yield* deaf(url)
  const faults = [...resumed.faults, ...crowded.faults, ...cost.faults]
  for (const fault of faults.slice(0, 20)) console.error(fault)
  const figures = {
    resumedEvents: resumed.events,
    slow: crowded.slow,
    heldBack: crowded.heldBack,
    ordersPerSecond: crowded.ordersPerSecond,
    deafHeldBack: cost.heldBack,
    deafMemoryMiB: cost.memoryMiB
  }
  console.log(JSON.stringify({ campaign: "push", ...plan, ...figures, faults: faults.length }))
  process.exitCode = faults.length === 0 ? 0 : 1
}).pipe(Effect.scoped, Effect.provide(Layer.succeed(References.MinimumLogLevel, "Warn")), NodeRuntime.runMain)
