/**
 * Orders placed per second by two server processes on one database, each from half of the connections, beside one process
 * with all of them, in turn. Both share the machine with PostgreSQL and the load.
 */
import { Effect } from "effect"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as HttpLoad from "../../harness/bench/http/HttpLoad.ts"
import * as HttpReport from "../../harness/bench/http/HttpReport.ts"
import * as Measurement from "../../harness/bench/Measurement.ts"

const sizes = {
  full: { rounds: 5, seconds: 5, connections: 64 },
  quick: { rounds: 3, seconds: 2, connections: 64 },
  tiny: { rounds: 1, seconds: 0.2, connections: 4 }
}
export type Size = keyof typeof sizes

export const run = Effect.fnUntraced(function* (size: Size) {
  const { connections, rounds, seconds } = sizes[size]
  const database = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(database)
  const url = yield* fresh(database.url)
  const make = Effect.gen(function* () {
    const load = yield* HttpLoad.running(async () => HttpLoad.startLoad())
    const server = yield* HttpLoad.running(() => HttpLoad.startOrdinal(url))
    return (connections: number) => HttpLoad.measure(load, server, { parts: [HttpLoad.post], connections, seconds })
  })
  const [first, second] = [yield* make, yield* make]
  const pair = Effect.all([first(connections / 2), second(connections / 2)], { concurrency: 2 })
  const one: Array<HttpLoad.HttpRound> = []
  const two: Array<readonly [HttpLoad.HttpRound, HttpLoad.HttpRound]> = []

  yield* pair
  for (let round = 0; round < rounds; round++) {
    one.push(yield* first(connections))
    two.push(yield* pair)
    console.log(`round ${round + 1} of ${rounds} is done`)
  }
  const figures = [
    HttpReport.figure("one process", connections, one),
    HttpReport.figure(
      "first of two",
      connections / 2,
      two.map(([left]) => left)
    ),
    HttpReport.figure(
      "second of two",
      connections / 2,
      two.map(([, right]) => right)
    )
  ]
  const twoPerOne = Measurement.spread(
    two.map(([left, right], index) => (left.perSecond + right.perSecond) / one[index]!.perSecond)
  )
  const slowerPerFaster = Measurement.spread(
    two.map(([left, right]) => {
      const [slower = 0, faster = 1] = [left.perSecond, right.perSecond].sort((a, b) => a - b)
      return slower / faster
    })
  )
  HttpReport.print(figures, [])
  console.log(`two processes ÷ one: ${twoPerOne.median}; the slower ÷ the faster: ${slowerPerFaster.median}`)
  return { bench: "nodes", size, ranOn, figures, twoPerOne, slowerPerFaster }
}, Effect.scoped)
