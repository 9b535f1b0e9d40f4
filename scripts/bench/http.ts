/**
 * Requests per second over HTTP, beside a bare `node:http` server, Emmett behind Express, and one-row inserts, all on
 * one machine and one PostgreSQL, in turn. Reads go to ids chosen at random from many orders, on both sides.
 *
 * A ratio is made of the medians of the rounds. An answer that is not as it must be ends the run: errors are no
 * throughput. At the end each side must have stored as many orders as it has acknowledged.
 */
import { Effect } from "effect"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as CommandPaths from "../../harness/bench/CommandPaths.ts"
import * as CacheReads from "../../harness/bench/http/CacheReads.ts"
import * as HttpLoad from "../../harness/bench/http/HttpLoad.ts"
import * as HttpReport from "../../harness/bench/http/HttpReport.ts"
import type { Part } from "../../harness/bench/http/LoadProcess.ts"
import * as InsertBaseline from "../../harness/bench/InsertBaseline.ts"
import * as Measurement from "../../harness/bench/Measurement.ts"
import * as Pgbench from "../../harness/bench/Pgbench.ts"
import type { Parts } from "./Parts.ts"

/** So many orders are placed on each side before anything is measured: Node compiles what runs often over the first 20,000. */
const sizes = {
  full: { rounds: 3, seconds: 5, connections: [1, 16, 64, 256], orders: 100_000, peer: true },
  quick: { rounds: 2, seconds: 1, connections: [1, 64], orders: 30_000, peer: true },
  tiny: { rounds: 1, seconds: 0.2, connections: [2], orders: 20, peer: false }
}
export type Size = keyof typeof sizes

const { list, post } = HttpLoad
const keyed: Part = { ...post, name: "keyed", isKeyed: true }
const get = (ids: ReadonlyArray<string>): Part => ({
  name: "get",
  method: "GET",
  path: "/orders/{id}",
  ids,
  status: 200
})
const confirm = (ids: ReadonlyArray<string>): Part => {
  return { name: "confirm", method: "POST", path: "/orders/{id}/confirm", ids, status: 202 }
}
const live: Part = { name: "live", method: "GET", path: "/health/live", status: 200 }
const readIds = 10_000
const insertConnections = 32
const pgbenchClients = [1, 8, 32]

const compared = [
  ["post ordinal", "post emmett"],
  ["post ordinal", "pgbench's best"],
  ["post ordinal", "inserts"],
  ["post ordinal", "post bare"],
  ["keyed ordinal", "post ordinal"],
  ["confirm ordinal", "live ordinal"],
  ["get ordinal", "get emmett"],
  ["get ordinal", "get bare"],
  ["list ordinal", "get bare"],
  ["list ordinal", "list bare"]
] as const

interface Subject {
  readonly part: Part
  readonly side: "bare" | "emmett" | "ordinal"
  readonly connections: number
  readonly rounds: Array<HttpLoad.HttpRound>
}

export const run = Effect.fnUntraced(function* (size: Size, { at, isAlone = false, isCached = false, only }: Parts) {
  const { orders, rounds, seconds, ...given } = sizes[size]
  const connections = at ?? given.connections
  const isWanted = (name: string) => only?.includes(name) ?? true
  const database = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(database)
  const load = yield* HttpLoad.running(async () => HttpLoad.startLoad())
  if (isCached) {
    const cached = yield* CacheReads.run(database.url, { ...sizes[size], connections: at ?? [64] }, load)
    return { bench: "http", size, ranOn, ...cached }
  }
  const row = CommandPaths.storedEvent()
  const inserts = isAlone ? [] : yield* InsertBaseline.make(yield* fresh(database.url), insertConnections, row)
  const pgbench = isAlone ? undefined : yield* Pgbench.make(yield* fresh(database.url), row)

  const urls = { ordinal: yield* fresh(database.url), emmett: yield* fresh(database.url) }
  const ordinal = yield* HttpLoad.running(() => HttpLoad.startOrdinal(urls.ordinal))
  const bare = isAlone ? undefined : yield* HttpLoad.running(HttpLoad.startBare)
  const emmett = isAlone || !given.peer ? undefined : yield* HttpLoad.running(() => HttpLoad.startEmmett(urls.emmett))
  const peers = { ordinal, bare, emmett }
  const placed = { ordinal: 0, emmett: 0 }

  const fill = Effect.fnUntraced(function* (side: "emmett" | "ordinal") {
    const peer = peers[side]
    if (peer === undefined) return []
    placed[side] = yield* HttpLoad.fill(load, peer, orders, Math.min(2, seconds))
    return (yield* HttpLoad.storedOrders(urls[side], HttpLoad.eventTables[side], readIds)).ids
  })
  const ids = { ordinal: yield* fill("ordinal"), emmett: yield* fill("emmett") }
  const answer = yield* Effect.promise(() => HttpLoad.awaitList(ordinal))
  bare?.send(answer)

  const subjects: Array<Subject> = []
  for (const count of connections) {
    const add = (side: Subject["side"], part: Part) => {
      if (peers[side] === undefined || !isWanted(part.name)) return
      subjects.push({ side, part, connections: count, rounds: [] })
    }
    add("bare", post)
    add("ordinal", post)
    add("emmett", post)
    add("ordinal", keyed)
    add("ordinal", confirm(ids.ordinal))
    add("bare", { ...live, name: "get" })
    add("ordinal", get(ids.ordinal))
    add("emmett", get(ids.emmett))
    add("bare", { ...list, path: "/list" })
    add("ordinal", list)
    add("ordinal", live)
  }

  const measure = Effect.fnUntraced(function* (
    { connections, part, side }: Pick<Subject, "connections" | "part" | "side">,
    pace: { readonly seconds: number; readonly rate?: number } = { seconds }
  ) {
    const round = yield* HttpLoad.measure(load, peers[side]!, { parts: [part], connections, ...pace })
    if (side !== "bare" && part.path === post.path) placed[side] += round.answers
    return round
  })
  const insertRates: Array<number> = []
  const pgbenchRates = pgbenchClients.map((clients) => ({ clients, rates: new Array<number>() }))
  const halves: Array<HttpLoad.HttpRound & { readonly rate: number }> = []
  const most = Math.max(...connections)
  for (const subject of subjects) {
    if (subject.connections === most) yield* measure(subject, { seconds: seconds / 3 })
  }
  for (let round = 0; round < rounds; round++) {
    for (const subject of subjects) subject.rounds.push(yield* measure(subject))
    if (isWanted("half")) {
      const peak = yield* measure({ side: "ordinal", part: post, connections: Math.max(64, most) })
      const rate = Math.max(1, Math.round(peak.perSecond / 2))
      // At a low rate it lasts longer, so that there is something to measure.
      const half = { rate, seconds: Math.max(seconds, 20 / rate) }
      halves.push({ rate, ...(yield* measure({ side: "ordinal", part: post, connections: Math.max(64, most) }, half)) })
    }
    if (inserts.length > 0) insertRates.push((yield* Measurement.drive(inserts, seconds)).perSecond)
    if (pgbench !== undefined)
      for (const { clients, rates } of pgbenchRates) rates.push(yield* pgbench(clients, seconds))
    console.log(`round ${round + 1} of ${rounds} is done`)
  }
  for (const side of ["ordinal", "emmett"] as const) {
    if (peers[side] === undefined) continue
    const { count } = yield* HttpLoad.storedOrders(urls[side], HttpLoad.eventTables[side], 1)
    if (count === placed[side]) continue
    return yield* Effect.die(new Error(`${side} acknowledged ${placed[side]} orders and stored ${count}`))
  }

  const figures = subjects.map(({ connections, part, rounds, side }) =>
    HttpReport.figure(`${part.name} ${side}`, connections, rounds)
  )
  const medianOf = (rates: ReadonlyArray<number>) => (rates.length === 0 ? undefined : Measurement.spread(rates).median)
  const insertsPerSecond = medianOf(insertRates)
  const pgbenchBest =
    pgbench === undefined ? undefined : Math.max(...pgbenchRates.map(({ rates }) => Measurement.spread(rates).median))
  const ratios = connections.flatMap((count) => {
    const rateOf = (name: string) =>
      figures.find((figure) => figure.name === name && figure.connections === count)?.perSecond.median
    const inserts: Readonly<Record<string, number | undefined>> = {
      "pgbench's best": pgbenchBest,
      inserts: insertsPerSecond
    }
    return compared.flatMap(([of, to]) =>
      HttpReport.ratio(`${of} ÷ ${to}`, count, rateOf(of), to in inserts ? inserts[to] : rateOf(to))
    )
  })
  const half = halves.map(({ late, p50, p99, perSecond, rate }) => ({ rate, perSecond, p50, p99, late }))

  HttpReport.print(figures, ratios)
  for (const { clients, rates } of pgbench === undefined ? [] : pgbenchRates) {
    console.log(`pgbench, ${clients} clients: ${Measurement.spread(rates).median}`)
  }
  if (insertsPerSecond !== undefined) console.log(`inserts, ${insertConnections} connections: ${insertsPerSecond}`)
  for (const { late, p50, p99, perSecond, rate } of half) {
    console.log(`post at half of the peak, ${rate}/s: p50 ${p50} ms, p99 ${p99} ms; ${perSecond}/s, ${late} sent late`)
  }
  return { bench: "http", size, ranOn, orders, insertsPerSecond, pgbenchBest, figures, ratios, half }
}, Effect.scoped)
