/**
 * Commands per second on one order, each of which stores an event, from many callers in process: straight to the actor,
 * and through `Orders`, the order view included. Beside one-row inserts by pgbench, or through the same client, in turn.
 */
import { Effect } from "effect"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as CommandPaths from "../../harness/bench/CommandPaths.ts"
import * as InsertBaseline from "../../harness/bench/InsertBaseline.ts"
import * as Measurement from "../../harness/bench/Measurement.ts"
import * as Pgbench from "../../harness/bench/Pgbench.ts"

const sizes = {
  full: { turns: 5, seconds: 3, callers: 64 },
  quick: { turns: 3, seconds: 1, callers: 64 },
  tiny: { turns: 1, seconds: 0.1, callers: 4 }
}
export type Size = keyof typeof sizes

const connections = 32

export const run = Effect.fnUntraced(function* (size: Size) {
  const { callers, seconds, turns } = sizes[size]
  const database = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(database)
  const row = CommandPaths.storedEvent()
  const inserts = yield* InsertBaseline.make(yield* fresh(database.url), connections, row)
  const pgbench = yield* Pgbench.make(yield* fresh(database.url), row)
  const paths = yield* CommandPaths.make(yield* fresh(database.url), { view: true })
  const commands: Record<string, Effect.Effect<unknown, unknown>> = { kernel: paths.hotKernel, orders: paths.hotOrders }
  const ways = Object.entries(commands).map(([name, one]) => {
    return { name, one, rounds: new Array<Measurement.Round>(), ratios: new Array<number>() }
  })
  const insertRounds: Array<number> = []

  for (const { one } of ways) yield* Measurement.drive(Measurement.times(callers, one), seconds)
  for (let turn = 0; turn < turns; turn++) {
    const best =
      pgbench === undefined
        ? (yield* Measurement.drive(inserts, seconds)).perSecond
        : yield* pgbench(connections, seconds)
    insertRounds.push(best)
    for (const { one, ratios, rounds } of ways) {
      const round = yield* Measurement.drive(Measurement.times(callers, one), seconds)
      rounds.push(round)
      ratios.push(round.perSecond / best)
      yield* paths.viewIsThere
    }
    console.log(`turn ${turn + 1} of ${turns} is done`)
  }
  const insertsPerSecond = Measurement.spread(insertRounds)
  const figures = ways.map(({ name, ratios, rounds }) => {
    const { cpuMicros, perSecond } = Measurement.summary(rounds)
    return { name, callers, perSecond, cpuMicros, ratio: Measurement.spread(ratios) }
  })
  const by = pgbench === undefined ? "the same client" : "pgbench"
  console.log(`\none-row inserts by ${by}, ${connections} at a time: ${insertsPerSecond.median}/s`)
  for (const { cpuMicros, name, perSecond, ratio } of figures)
    console.log(
      `${name}, ${callers} callers on one order: ${perSecond.median}/s (${perSecond.min} – ${perSecond.max}), ` +
        `${cpuMicros.median} µs of CPU, ${ratio.median} of the inserts`
    )
  return { bench: "hot", size, ranOn, insertsPerSecond, figures }
}, Effect.scoped)
