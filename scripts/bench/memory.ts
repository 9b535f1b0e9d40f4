/**
 * Memory, in three parts:
 *
 * - `residents`: what an order takes while it is in memory and idle, beyond its state as JSON: of the heap, and of the
 *   process as the operating system counts it (RSS), which grows in steps and falls late. The log is on PostgreSQL.
 * - `placing`: a server whose heap is bounded to 160 MB, on PostgreSQL, while orders are placed at full speed.
 * - `embedded`: a server on PGlite, started again on a directory with many orders, while more are placed: as it comes, and
 *   with the heap that `docs/operating.md` advises where memory is short.
 */
import { Context, Duration, Effect, Layer } from "effect"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { Aggregates } from "../../src/aggregate/Aggregates.ts"
import { AggregateLimits, defaults } from "../../src/aggregate/AggregateLimits.ts"
import * as EventSourcing from "../../src/kernel/EventSourcing.ts"
import { OrderAggregate } from "../../src/order/OrderAggregate.ts"
import type { Command } from "../../src/order/OrderCommand.ts"
import type { OrderId } from "../../src/order/OrderId.ts"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as CommandPaths from "../../harness/bench/CommandPaths.ts"
import * as HttpLoad from "../../harness/bench/http/HttpLoad.ts"
import * as ServerProcess from "../../harness/servers/ServerProcess.ts"
import type { Parts } from "./Parts.ts"

const sizes = {
  full: { warmUp: 5_000, residents: [10_000, 100_000], seconds: 600, embedded: 100_000, more: 20_000 },
  quick: { warmUp: 2_000, residents: [10_000], seconds: 60, embedded: 2_000, more: 2_000 },
  tiny: { warmUp: 50, residents: [150], seconds: 0.3, embedded: 5, more: 5 }
}
export type Size = keyof typeof sizes
type Sizes = (typeof sizes)[Size]

const callers = 256

setFlagsFromString("--expose-gc")
const gc: (options: object) => void = runInNewContext("gc")

const ofResidents = Effect.fnUntraced(function* (url: string, { residents, warmUp }: Sizes) {
  const limits = { ...defaults, residents: 1_000_000, residentBytes: Number.MAX_SAFE_INTEGER, idle: Duration.days(1) }
  const kernel = EventSourcing.layerPostgres(url).pipe(Layer.provide(Layer.succeed(AggregateLimits, limits)))
  const aggregates = Context.get(yield* Layer.build(kernel), Aggregates)
  let placed = 0
  let stateBytes = 0
  const ids: Array<OrderId> = []

  const place = Effect.suspend(() => {
    // A command that came over HTTP shares no texts with another one.
    const command: Command<"PlaceOrder"> = JSON.parse(JSON.stringify(CommandPaths.command(placed)))
    if (placed <= warmUp) ids.push(command.orderId)
    return aggregates.send(OrderAggregate, command.orderId, command, { fresh: true })
  })
  /** As many commands as orders are placed later, so that the heap has by then what it needs to work. */
  const changeThose = Effect.forEach(
    Array.from({ length: residents[0]! }, (_, index) => index),
    (index) => {
      const orderId = ids[index % ids.length]!
      const address = { ...CommandPaths.command(0).shippingAddress, line1: `${index} Mill Lane` }
      return aggregates.send(OrderAggregate, orderId, { _tag: "ChangeShippingAddress", orderId, address })
    },
    { concurrency: callers, discard: true }
  )
  const placeUntil = (count: number) => {
    const loop: Effect.Effect<void> = Effect.suspend(() => {
      if (placed >= count) return Effect.void
      placed++
      return Effect.flatMap(Effect.orDie(place), ({ state }) => {
        stateBytes += JSON.stringify(state).length
        return loop
      })
    })
    return Effect.all(
      Array.from({ length: callers }, () => loop),
      { concurrency: "unbounded", discard: true }
    )
  }
  const sample = Effect.gen(function* () {
    for (let pass = 0; pass < 3; pass++) {
      gc({ type: "major", execution: "sync", flavor: "last-resort" })
      yield* Effect.promise(() => new Promise((resolve) => setImmediate(resolve)))
    }
    const { external, heapUsed, rss } = process.memoryUsage()
    return { residents: yield* aggregates.residents, rss, heap: heapUsed + external }
  })

  yield* placeUntil(warmUp)
  yield* changeThose
  const before = yield* sample
  const figures: Array<{
    readonly residents: number
    readonly stateBytes: number
    readonly heapBeyondState: number
    readonly rssBeyondState: number
  }> = []
  for (const count of residents) {
    yield* placeUntil(count)
    const after = yield* sample
    const more = after.residents - before.residents
    const state = Math.round(stateBytes / placed)
    const beyond = (bytes: number) => Math.round(bytes / more - state)
    figures.push({
      residents: after.residents,
      stateBytes: state,
      heapBeyondState: beyond(after.heap - before.heap),
      rssBeyondState: beyond(after.rss - before.rss)
    })
  }
  console.log("bytes of an idle order in memory beyond its state's JSON")
  for (const { heapBeyondState, residents, rssBeyondState, stateBytes } of figures)
    console.log(`${residents} orders of ${stateBytes} bytes: heap ${heapBeyondState}, RSS ${rssBeyondState}`)
  return { before: before.residents, figures }
}, Effect.scoped)

/** Places orders on a server in steps until it is enough, and looks at its memory before the first and after each. */
const whilePlacing = Effect.fnUntraced(function* (
  name: string,
  start: () => Promise<HttpLoad.Peer>,
  seconds: number,
  isEnough: (placed: number, steps: number) => boolean
) {
  const load = yield* HttpLoad.running(async () => HttpLoad.startLoad())
  const server = yield* HttpLoad.running(start)
  const look = Effect.promise(() => HttpLoad.rssOf(server.pid))
  const rss = [yield* look]
  let placed = 0
  for (let step = 0; !isEnough(placed, step); step++) {
    placed += yield* HttpLoad.fill(load, server, 1, seconds)
    rss.push(yield* look)
  }
  console.log(`${name}: RSS in MiB while ${placed} orders are placed: ${rss.join(" ")}`)
  return { placed, rss }
}, Effect.scoped)

const steps = 10
const [executable, ...program] = ServerProcess.node
const boundedHeap = [executable!, "--max-old-space-size=160", ...program]
const smallHeap = [executable!, "--max-old-space-size=160", "--max-semi-space-size=8", ...program]

const ofPlacing = (url: string, { seconds }: Sizes) =>
  whilePlacing(
    "a heap of 160 MB",
    () => HttpLoad.startOrdinal(url, {}, boundedHeap),
    seconds / steps,
    (_, step) => step === steps
  )

const ofEmbedded = Effect.fnUntraced(function* ({ embedded, more, seconds }: Sizes) {
  const path = yield* Effect.acquireRelease(
    Effect.promise(() => mkdtemp(join(tmpdir(), "ordinal-bench-"))),
    (path) => Effect.promise(() => rm(path, { recursive: true, force: true }))
  )
  const placing = (name: string, count: number, runtime?: ReadonlyArray<string>) =>
    whilePlacing(
      name,
      () => HttpLoad.startOrdinal(`pglite:${join(path, "data")}`, {}, runtime),
      Math.min(5, seconds),
      (placed) => placed >= count
    )
  const first = yield* placing("PGlite", embedded)
  const again = yield* placing("PGlite, started again", more)
  const small = yield* placing("PGlite, started again with a small heap", more, smallHeap)
  return { first, again, small }
}, Effect.scoped)

export const run = Effect.fnUntraced(function* (size: Size, { only }: Parts) {
  const given = sizes[size]
  const isWanted = (name: string) => only?.includes(name) ?? true
  const database = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(database)
  const residents = isWanted("residents") ? yield* ofResidents(yield* fresh(database.url), given) : undefined
  const placing = isWanted("placing") ? yield* ofPlacing(yield* fresh(database.url), given) : undefined
  const embedded = isWanted("embedded") ? yield* ofEmbedded(given) : undefined
  return { bench: "memory", size, ranOn, residents, placing, embedded }
}, Effect.scoped)
