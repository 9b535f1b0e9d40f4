/**
 * Durable commands per second in process, every one on an order of its own, beside one-row inserts through the same
 * client in the same run. Reports; judges nothing.
 *
 * Rounds of both take turns, so that whatever else the machine does hits both. A ratio is made of neighbouring rounds:
 * a path's figure and the best of the inserts' right beside it.
 */
import { Effect } from "effect"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as CommandPaths from "../../harness/bench/CommandPaths.ts"
import { type Baseline, type Measured, print, type Subject } from "../../harness/bench/CommandReport.ts"
import * as InsertBaseline from "../../harness/bench/InsertBaseline.ts"
import * as Measurement from "../../harness/bench/Measurement.ts"

const sizes = {
  full: { turns: 5, seconds: 3, warmUp: 3, view: true, connections: [1, 8, 32], callers: [64, 256] },
  quick: { turns: 3, seconds: 0.5, warmUp: 1, view: true, connections: [1, 8, 32], callers: [64, 256] },
  tiny: { turns: 1, seconds: 0.1, warmUp: 0.05, view: false, connections: [1, 2], callers: [4] }
}
export type Size = keyof typeof sizes

interface Path {
  readonly name: string
  readonly one: Effect.Effect<unknown, unknown>
  /** After a round: what it left behind is worked off, so that it does not burden the next one. */
  readonly settle: Effect.Effect<unknown>
}

/** Two paths without the order view, so that the log alone is seen, and the whole with it. */
const makePaths = Effect.fnUntraced(function* (serverUrl: string, view: boolean) {
  const bare = yield* CommandPaths.make(yield* fresh(serverUrl), { view: false })
  const paths: Array<Path> = [
    { name: "kernel", one: bare.send, settle: Effect.void },
    { name: "place", one: bare.place, settle: Effect.void }
  ]
  if (view) {
    const viewed = yield* CommandPaths.make(yield* fresh(serverUrl), { view: true })
    paths.push({ name: "placeWithView", one: viewed.place, settle: viewed.viewIsThere })
  }
  return paths
})

export const run = Effect.fnUntraced(function* (size: Size) {
  const { callers, connections, seconds, turns, view, warmUp } = sizes[size]
  const server = yield* BenchDatabase.server
  const row = CommandPaths.storedEvent()
  const inserts = yield* InsertBaseline.make(yield* fresh(server.url), Math.max(...connections), row)
  const paths = yield* makePaths(server.url, view)

  const baselines = connections.map((connections): Baseline => ({ connections, rounds: [] }))
  const subjects = callers.flatMap((callers) =>
    paths.map(({ name }): Subject => ({ path: name, callers, rounds: [], ratios: [], behindSeconds: [] }))
  )
  const alone = new Map<string, Array<number>>()
  const ranOn = yield* BenchDatabase.facts(server)
  const measured: Measured = { size, ranOn, row, baselines, subjects, alone }

  const insertRound = Effect.fnUntraced(function* ({ connections, rounds }: Baseline) {
    const round = yield* Measurement.drive(inserts.slice(0, connections), seconds)
    rounds.push(round)
    return round.perSecond
  })
  const pathRound = Effect.fnUntraced(function* ({ one, settle }: Path, subject: Subject) {
    const round = yield* Measurement.drive(Measurement.times(subject.callers, one), seconds)
    subject.rounds.push(round)
    const end = performance.now()
    yield* settle
    subject.behindSeconds.push((performance.now() - end) / 1000)
    return round.perSecond
  })
  const timeAlone = Effect.fnUntraced(function* (name: string, one: Effect.Effect<unknown, unknown>) {
    const took = yield* Measurement.timeEach(one, seconds / 2)
    alone.set(name, [...(alone.get(name) ?? []), ...took])
  })

  yield* Measurement.drive(inserts, warmUp)
  for (const { one, settle } of paths) {
    yield* Measurement.drive(Measurement.times(Math.max(...callers), one), warmUp)
    yield* settle
  }
  for (let turn = 0; turn < turns; turn++) {
    for (const count of callers) {
      const group = subjects.filter((subject) => subject.callers === count)
      const done: Array<number> = []
      let best = 0
      for (let index = 0; index < Math.max(baselines.length, paths.length); index++) {
        if (index < baselines.length) best = Math.max(best, yield* insertRound(baselines[index]!))
        if (index < paths.length) done.push(yield* pathRound(paths[index]!, group[index]!))
      }
      group.forEach((subject, index) => subject.ratios.push(done[index]! / best))
    }
    yield* timeAlone("insert", inserts[0]!)
    for (const { name, one, settle } of paths) {
      yield* timeAlone(name, one)
      yield* settle
    }
    console.log(`turn ${turn + 1} of ${turns} is done`)
  }
  return print(measured)
}, Effect.scoped)
