/**
 * Requests per second of a shop's day over HTTP: 70 % read one order, few orders far more often than the others (Zipf),
 * 15 % place one, 15 % confirm one that was placed. Beside Emmett behind Express on the same mix, in turn.
 */
import { Effect } from "effect"
import { placement } from "../../harness/fixtures/Shop.ts"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as HttpLoad from "../../harness/bench/http/HttpLoad.ts"
import * as HttpReport from "../../harness/bench/http/HttpReport.ts"
import type { Part } from "../../harness/bench/http/LoadProcess.ts"

const sizes = {
  full: { rounds: 5, seconds: 10, connections: 64, orders: 100_000, peer: true },
  quick: { rounds: 2, seconds: 3, connections: 64, orders: 3_000, peer: true },
  tiny: { rounds: 1, seconds: 0.3, connections: 4, orders: 20, peer: false }
}
export type Size = keyof typeof sizes

const readIds = 10_000

const mix = (ids: ReadonlyArray<string>): ReadonlyArray<Part> => [
  { ...HttpLoad.post, name: "place", body: JSON.stringify(placement({ confirm: false })), weight: 15 },
  { name: "confirm", method: "POST", path: "/orders/{id}/confirm", ids: "placed", status: 202, weight: 15 },
  { name: "get", method: "GET", path: "/orders/{id}", ids, isZipf: true, status: 200, weight: 70 }
]

export const run = Effect.fnUntraced(function* (size: Size) {
  const { connections, orders, peer, rounds, seconds } = sizes[size]
  const database = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(database)
  const load = yield* HttpLoad.running(async () => HttpLoad.startLoad())

  const make = Effect.fnUntraced(function* (
    name: "emmett" | "ordinal",
    start: (url: string) => Promise<HttpLoad.Peer>
  ) {
    const url = yield* fresh(database.url)
    const server = yield* HttpLoad.running(() => start(url))
    yield* HttpLoad.fill(load, server, orders, Math.min(2, seconds))
    const { ids } = yield* HttpLoad.storedOrders(url, HttpLoad.eventTables[name], readIds)
    const parts = mix(ids)
    return {
      name,
      rounds: new Array<HttpLoad.HttpRound>(),
      measure: HttpLoad.measure(load, server, { parts, connections, seconds })
    }
  })
  const sides = [
    yield* make("ordinal", HttpLoad.startOrdinal),
    ...(peer ? [yield* make("emmett", HttpLoad.startEmmett)] : [])
  ]
  for (const { measure } of sides) yield* measure
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) side.rounds.push(yield* side.measure)
    console.log(`round ${round + 1} of ${rounds} is done`)
  }
  const figures = sides.map(({ name, rounds }) => HttpReport.figure(name, connections, rounds))
  const [ordinal, emmett] = figures.map(({ perSecond }) => perSecond.median)
  const ratios = HttpReport.ratio("ordinal ÷ emmett", connections, ordinal, emmett)
  HttpReport.print(figures, ratios)
  const parts = Object.fromEntries(sides.map(({ name, rounds }) => [name, rounds.at(-1)!.parts]))
  for (const [side, times] of Object.entries(parts)) {
    for (const [part, { answers, p50, p99 }] of Object.entries(times))
      console.log(`${side}, ${part}: ${answers} in the last round, p50 ${p50} ms, p99 ${p99} ms`)
  }
  return { bench: "mixed", size, ranOn, orders, figures, ratios, parts }
}, Effect.scoped)
