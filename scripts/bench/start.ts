/**
 * Milliseconds from the start of the server's process until it answers that it is ready: on an empty directory, on one
 * with orders in it, and on PostgreSQL; beside a bare `node:http` server that loads nothing.
 */
import { Effect } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as ServerProcess from "../../harness/servers/ServerProcess.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as HttpLoad from "../../harness/bench/http/HttpLoad.ts"
import * as Measurement from "../../harness/bench/Measurement.ts"

const sizes = {
  full: { turns: 7, orders: 10_000 },
  quick: { turns: 3, orders: 1_000 },
  tiny: { turns: 1, orders: 5 }
}
export type Size = keyof typeof sizes

const directory = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "ordinal-bench-"))),
  (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
)

const timed = <A extends { readonly stop: () => Promise<unknown> }>(start: () => Promise<A>) =>
  Effect.promise(async () => {
    const began = performance.now()
    const { stop } = await start()
    const took = performance.now() - began
    await stop()
    return took
  })

const ordinal = (url: string) => timed(() => ServerProcess.start({ DATABASE_URL: url }))

export const run = Effect.fnUntraced(function* (size: Size) {
  const { orders, turns } = sizes[size]
  const database = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(database)
  const filled = `pglite:${join(yield* directory, "data")}`
  const used = yield* fresh(database.url)
  const ways: Readonly<Record<string, Effect.Effect<number>>> = {
    "bare node:http": timed(HttpLoad.startBare),
    "empty PGlite": Effect.scoped(Effect.flatMap(directory, (path) => ordinal(`pglite:${join(path, "data")}`))),
    [`PGlite with ${orders} orders`]: ordinal(filled),
    "empty PostgreSQL": Effect.scoped(Effect.flatMap(fresh(database.url), ordinal)),
    "PostgreSQL that was used before": ordinal(used)
  }
  yield* Effect.scoped(
    Effect.gen(function* () {
      const load = yield* HttpLoad.running(async () => HttpLoad.startLoad())
      const server = yield* HttpLoad.running(() => HttpLoad.startOrdinal(filled))
      yield* HttpLoad.fill(load, server, orders, 2)
    })
  )
  yield* ordinal(used)
  const took = Object.entries(ways).map(([name, one]) => ({ name, one, millis: new Array<number>() }))
  for (let turn = 0; turn < turns; turn++) {
    for (const { millis, one } of took) millis.push(yield* one)
    console.log(`turn ${turn + 1} of ${turns} is done`)
  }
  const figures = took.map(({ millis, name }) => ({ name, millis: Measurement.spread(millis) }))
  console.log("\nmilliseconds until ready: median, min, max")
  for (const { millis, name } of figures) console.log(name.padEnd(34), millis.median, millis.min, millis.max)
  return { bench: "start", size, ranOn, orders, figures }
}, Effect.scoped)
