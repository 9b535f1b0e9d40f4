/**
 * Requests per second over HTTP on a log of millions of events and a view of many orders, beside the same on a log that
 * is nearly empty, in turn: each by a server of its own, on one PostgreSQL.
 */
import { Effect } from "effect"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as HttpLoad from "../../harness/bench/http/HttpLoad.ts"
import * as HttpReport from "../../harness/bench/http/HttpReport.ts"
import type { Part } from "../../harness/bench/http/LoadProcess.ts"
import * as LargeLog from "../../harness/bench/LargeLog.ts"

const sizes = {
  full: { events: 5_000_000, appended: 25_000, rounds: 5, seconds: 5, connections: 64 },
  quick: { events: 200_000, appended: 10_000, rounds: 3, seconds: 1.5, connections: 64 },
  tiny: { events: 10_000, appended: 2_500, rounds: 1, seconds: 0.2, connections: 4 }
}
export type Size = keyof typeof sizes

const readIds = 10_000
const fewOrders = 20

export const run = Effect.fnUntraced(function* (size: Size) {
  const { appended, connections, events, rounds, seconds } = sizes[size]
  const database = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(database)
  const load = yield* HttpLoad.running(async () => HttpLoad.startLoad())
  const urls = { few: yield* fresh(database.url), many: yield* fresh(database.url) }
  const began = performance.now()
  const filled = yield* LargeLog.fill(urls.many, events, appended)
  console.log(`${filled} events are there after ${Math.round((performance.now() - began) / 1000)} s`)

  const make = Effect.fnUntraced(function* (url: string) {
    const server = yield* HttpLoad.running(() => HttpLoad.startOrdinal(url, { AUDIT_STREAMS: "0" }))
    yield* HttpLoad.fill(load, server, fewOrders, Math.min(1, seconds))
    yield* Effect.promise(() => HttpLoad.awaitList(server))
    const { ids } = yield* HttpLoad.storedOrders(url, HttpLoad.eventTables.ordinal, readIds)
    return { server, ids }
  })
  const sides = { few: yield* make(urls.few), many: yield* make(urls.many) }
  const partsOf = (ids: ReadonlyArray<string>): ReadonlyArray<Part> => [
    HttpLoad.post,
    { name: "get", method: "GET", path: "/orders/{id}", ids, status: 200 },
    HttpLoad.list
  ]
  const subjects = (["few", "many"] as const).flatMap((side) =>
    partsOf(sides[side].ids).map((part) => ({ side, part, rounds: new Array<HttpLoad.HttpRound>() }))
  )
  const measure = ({ part, side }: (typeof subjects)[number]) =>
    HttpLoad.measure(load, sides[side].server, { parts: [part], connections, seconds })
  for (const subject of subjects) yield* measure(subject)
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) subject.rounds.push(yield* measure(subject))
    console.log(`round ${round + 1} of ${rounds} is done`)
  }
  const figures = subjects.map(({ part, rounds, side }) =>
    HttpReport.figure(`${part.name} ${side}`, connections, rounds)
  )
  const rateOf = (name: string) => figures.find((figure) => figure.name === name)?.perSecond.median
  const ratios = ["post", "get", "list"].flatMap((name) =>
    HttpReport.ratio(`${name} many ÷ ${name} few`, connections, rateOf(`${name} many`), rateOf(`${name} few`))
  )
  HttpReport.print(figures, ratios)
  return { bench: "growth", size, ranOn, events: filled, figures, ratios }
}, Effect.scoped)
