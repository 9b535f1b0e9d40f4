/**
 * From an order's commit to its push at a client, order view included: alone, and to a crowd under a steady load. Server,
 * clients and load are processes of their own, over HTTP. Two figures, since nobody outside of PostgreSQL sees the commit:
 *
 * - `fromAnswer`: since the command's answer reached its caller, which is after the commit; 0 if the push was there first;
 * - `fromRecorded`: since the database took the time for the event, which is before the commit, to the millisecond.
 */
import { Effect } from "effect"
import { node, start } from "../../harness/servers/ServerProcess.ts"
import { open } from "../../harness/servers/Sql.ts"
import * as PushCrowd from "../../harness/campaigns/push/PushCrowd.ts"
import * as PushShop from "../../harness/campaigns/push/PushShop.ts"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"

const crowdOf = (sse: number, ws: number, unfiltered: number, customers: number, processes: number) => ({
  sse,
  ws,
  unfiltered,
  customers,
  processes,
  deaf: 0,
  isCutOff: true
})

const sizes = {
  full: { alone: 1000, crowd: { ...crowdOf(500, 200, 5, 700, 2), rate: 300, seconds: 60 } },
  quick: { alone: 200, crowd: { ...crowdOf(50, 20, 5, 70, 1), rate: 300, seconds: 10 } },
  tiny: { alone: 5, crowd: { ...crowdOf(2, 2, 2, 2, 1), rate: 20, seconds: 0.5 } }
}
export type Size = keyof typeof sizes

export const run = Effect.fnUntraced(function* (size: Size) {
  const { alone, crowd } = sizes[size]
  const database = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(database)
  const url = yield* fresh(database.url)
  const server = yield* Effect.acquireRelease(
    Effect.promise(() => start({ DATABASE_URL: url }, node)),
    ({ stop }) => Effect.promise(stop)
  )
  const sql = yield* Effect.acquireRelease(
    Effect.sync(() => open(url)),
    ({ close }) => Effect.promise(close)
  )
  const shop = yield* Effect.promise(() => PushShop.make(server.url, { customers: crowd.customers, lines: 2 }))

  yield* Effect.promise(() => PushCrowd.alone(shop, sql, Math.min(200, alone)))
  const single = yield* Effect.promise(() => PushCrowd.alone(shop, sql, alone))
  console.log("one command at a time, two clients:", JSON.stringify(single.millis))
  const { fromAnswer, fromRecorded } = single.millis.SSE
  const between = (part: "p50" | "p99") => `${part} between ${fromAnswer[part]} and ${fromRecorded[part]} ms`
  console.log(`commit → SSE client, alone: ${between("p50")}, ${between("p99")}`)
  const { deafEnded: _, ...crowded } = yield* Effect.promise(() => PushCrowd.run(shop, sql, crowd))
  const clients = crowd.sse + crowd.ws + crowd.unfiltered
  console.log(`${crowd.rate} commands/s, ${clients} clients:`, JSON.stringify(crowded.millis))
  const faults = [...single.faults, ...crowded.faults]
  if (faults.length > 0) return yield* Effect.die(new Error(faults.slice(0, 5).join("\n")))
  const { faults: _s, ...aloneFigures } = single
  const { faults: _c, ...crowdFigures } = crowded
  return { bench: "push", size, ranOn, clients, rate: crowd.rate, alone: aloneFigures, crowd: crowdFigures }
}, Effect.scoped)
