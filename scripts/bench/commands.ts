/**
 * Durable commands per second in process, every one on an order of its own, beside one-row inserts in the same run:
 * through the same client, and by pgbench where it is on the PATH. Reports; judges nothing.
 *
 * Rounds of all take turns, so that whatever else the machine does hits them all. A ratio is made within a turn: a path's
 * figure and the best of the inserts'.
 */
import { Effect } from "effect"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as CommandPaths from "../../harness/bench/CommandPaths.ts"
import { type Baseline, print, type Subject } from "../../harness/bench/CommandReport.ts"
import * as InsertBaseline from "../../harness/bench/InsertBaseline.ts"
import * as Measurement from "../../harness/bench/Measurement.ts"
import * as Pgbench from "../../harness/bench/Pgbench.ts"
import type { Parts } from "./Parts.ts"

const sizes = {
  full: { turns: 5, seconds: 3, warmUp: 3, connections: [1, 8, 32], callers: [1, 16, 64, 256, 1024] },
  quick: { turns: 3, seconds: 0.5, warmUp: 1, connections: [1, 8, 32], callers: [1, 64, 256] },
  tiny: { turns: 1, seconds: 0.1, warmUp: 0.05, connections: [1, 2], callers: [4] }
}
export type Size = keyof typeof sizes

interface Path {
  readonly name: string
  readonly one: Effect.Effect<unknown, unknown>
  /** After a round: what it left behind is worked off, so that it does not burden the next one. */
  readonly settle: Effect.Effect<unknown>
}

/** Two paths without the order view, so that the log alone is seen; and the whole with it, without and with keys. */
const makePaths = Effect.fnUntraced(function* (serverUrl: string, only: ReadonlyArray<string> | undefined) {
  const make = Effect.fnUntraced(function* (
    view: boolean,
    names: Readonly<Record<string, "place" | "placeKeyed" | "send">>
  ) {
    const wanted = Object.entries(names).filter(([name]) => only?.includes(name) ?? true)
    if (wanted.length === 0) return []
    const { viewIsThere, ...ways } = yield* CommandPaths.make(yield* fresh(serverUrl), { view })
    const settle = view ? viewIsThere : Effect.void
    return wanted.map(([name, way]): Path => ({ name, one: ways[way], settle }))
  })
  return [
    ...(yield* make(false, { kernel: "send", place: "place" })),
    ...(yield* make(true, { placeWithView: "place", placeKeyed: "placeKeyed" }))
  ]
})

export const run = Effect.fnUntraced(function* (size: Size, { at = sizes[size].callers, isAlone, only }: Parts) {
  const { connections, seconds, turns, warmUp } = sizes[size]
  const server = yield* BenchDatabase.server
  const row = CommandPaths.storedEvent()
  const inserts = yield* InsertBaseline.make(yield* fresh(server.url), Math.max(...connections), row)
  const pgbench = isAlone === true ? undefined : yield* Pgbench.make(yield* fresh(server.url), row)
  const paths = yield* makePaths(server.url, only)

  const insertRounds = connections.map((connections): Baseline => ({ connections, rounds: [] }))
  const pgbenchRounds =
    pgbench === undefined ? [] : connections.map((clients): Baseline => ({ connections: clients, rounds: [] }))
  const subjects = at.flatMap((callers) =>
    paths.map((path): Subject & { readonly way: Path } => {
      return { path: path.name, way: path, callers, rounds: [], toInserts: [], toPgbench: [], behindSeconds: [] }
    })
  )
  const alone = new Map<string, Array<number>>()
  const ranOn = yield* BenchDatabase.facts(server)

  const pathRound = Effect.fnUntraced(function* ({ behindSeconds, callers, rounds, way }: (typeof subjects)[number]) {
    rounds.push(yield* Measurement.drive(Measurement.times(callers, way.one), seconds))
    const end = performance.now()
    yield* way.settle
    behindSeconds.push((performance.now() - end) / 1000)
  })
  const baselineRounds = [
    ...insertRounds.map(({ connections, rounds }) =>
      Effect.map(Measurement.drive(inserts.slice(0, connections), seconds), (round) => rounds.push(round))
    ),
    ...pgbenchRounds.map(({ connections, rounds }) =>
      Effect.map(pgbench!(connections, seconds), (perSecond) => rounds.push({ perSecond, cpuMicros: Number.NaN }))
    )
  ]
  const bestOfTurn = (baselines: ReadonlyArray<Baseline>, turn: number) =>
    Math.max(...baselines.map(({ rounds }) => rounds[turn]!.perSecond))
  const timeAlone = Effect.fnUntraced(function* (name: string, one: Effect.Effect<unknown, unknown>) {
    const took = yield* Measurement.timeEach(one, seconds / 2)
    alone.set(name, [...(alone.get(name) ?? []), ...took])
  })

  yield* Measurement.drive(inserts, warmUp)
  for (const { one, settle } of paths) {
    yield* Measurement.drive(Measurement.times(Math.max(...at), one), warmUp)
    yield* settle
  }
  for (let turn = 0; turn < turns; turn++) {
    for (let index = 0; index < Math.max(subjects.length, baselineRounds.length); index++) {
      if (index < subjects.length) yield* pathRound(subjects[index]!)
      if (index < baselineRounds.length) yield* baselineRounds[index]!
    }
    for (const { rounds, toInserts, toPgbench } of subjects) {
      toInserts.push(rounds[turn]!.perSecond / bestOfTurn(insertRounds, turn))
      if (pgbench !== undefined) toPgbench.push(rounds[turn]!.perSecond / bestOfTurn(pgbenchRounds, turn))
    }
    yield* timeAlone("insert", inserts[0]!)
    for (const { name, one, settle } of paths) {
      yield* timeAlone(name, one)
      yield* settle
    }
    console.log(`turn ${turn + 1} of ${turns} is done`)
  }
  return print({ size, ranOn, row, inserts: insertRounds, pgbench: pgbenchRounds, subjects, alone })
}, Effect.scoped)
