/**
 * Requests per second over HTTP, beside a bare `node:http` server, Emmett behind Express, and one-row inserts, all on
 * one machine and one PostgreSQL, in turn. Reads go to ids chosen at random from many orders, on both sides.
 *
 * A ratio is made of the medians of the rounds. An answer that is not 2xx ends the run: errors are no throughput.
 */
import { Effect } from "effect"
import { ada, mug, placement } from "../../harness/fixtures/Shop.ts"
import { call } from "../../harness/clients/HttpClient.ts"
import { connect, fresh } from "../../harness/servers/FreshDatabase.ts"
import { node, start } from "../../harness/servers/ServerProcess.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as CommandPaths from "../../harness/bench/CommandPaths.ts"
import * as InsertBaseline from "../../harness/bench/InsertBaseline.ts"
import * as Measurement from "../../harness/bench/Measurement.ts"
import { cpuMicrosOf, type Peer, startBare, startEmmett, startLoad } from "../../harness/bench/http/HttpLoad.ts"
import type { Load, LoadResult } from "../../harness/bench/http/LoadProcess.ts"

const sizes = {
  full: { rounds: 3, seconds: 5, connections: [1, 16, 64, 256], orders: 100_000, peer: true },
  quick: { rounds: 2, seconds: 1.5, connections: [1, 64], orders: 3_000, peer: true },
  tiny: { rounds: 1, seconds: 0.2, connections: [2], orders: 20, peer: false }
}
export type Size = keyof typeof sizes

const tea = { name: "Tea", unitPrice: 700, currency: "EUR", taxBps: 1900 }
const body = JSON.stringify(
  placement({
    lines: [
      { productId: "mug", quantity: 2 },
      { productId: "tea", quantity: 1 }
    ]
  })
)
const post = { method: "POST", paths: ["/orders"], body } as const
const readIds = 10_000
const insertConnections = 32

interface Subject {
  readonly name: string
  readonly peer: Peer
  readonly load: Omit<Load, "port" | "seconds">
  readonly rounds: Array<LoadResult & { readonly cpuMicros?: number }>
}

const running = <A extends { readonly stop: () => Promise<unknown> }>(started: () => Promise<A>) =>
  Effect.acquireRelease(Effect.promise(started), ({ stop }) => Effect.promise(stop))

export const run = Effect.fnUntraced(function* (size: Size) {
  const { connections, orders, peer, rounds, seconds } = sizes[size]
  const database = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(database)
  const load = yield* running(async () => startLoad())
  const ordinalUrl = yield* fresh(database.url)
  const server = yield* running(() => start({ DATABASE_URL: ordinalUrl, LOG_LEVEL: "info" }, node))
  const ordinal: Peer = { port: Number(new URL(server.url).port), pid: server.pid, stop: async () => undefined }
  const bare = yield* running(startBare)
  const emmettUrl = yield* fresh(database.url)
  const emmett = peer ? yield* running(() => startEmmett(emmettUrl)) : undefined
  const row = CommandPaths.storedEvent()
  const inserts = yield* InsertBaseline.make(yield* fresh(database.url), insertConnections, row)

  yield* Effect.promise(async () => {
    for (const [id, product] of Object.entries({ mug, tea }))
      await call(server.url, "PUT", `/products/${id}`, { body: product })
    await call(server.url, "PUT", "/customers/ada", { body: ada })
  })

  /** Runs a load; ends the benchmark if an answer is not 2xx. */
  const measure = (target: Peer, wanted: Omit<Load, "port">) =>
    Effect.promise(async () => {
      const before = await cpuMicrosOf(target.pid)
      const result = await load.run({ port: target.port, ...wanted })
      const after = await cpuMicrosOf(target.pid)
      if (result.failures > 0) throw new Error(`${result.failures} answers are not 2xx:\n${result.firstFailure}`)
      return before === undefined || after === undefined
        ? result
        : { ...result, cpuMicros: Math.round((after - before) / result.answers) }
    })

  /** Places orders until so many are there; warms the server up as well. */
  const fill = Effect.fnUntraced(function* (target: Peer) {
    let placed = 0
    while (placed < orders) {
      const { answers } = yield* measure(target, { ...post, connections: 64, seconds: Math.min(2, seconds) })
      placed += answers
    }
  })
  const idsOf = Effect.fnUntraced(function* (url: string, table: string) {
    const sql = yield* connect(url)
    const found = yield* sql.unsafe<{ readonly id: string }>(
      `SELECT id FROM (SELECT substr(stream_id, 7) AS id FROM ${table} WHERE stream_id LIKE 'order-%'
        GROUP BY stream_id) AS orders ORDER BY random() LIMIT ${readIds}`
    )
    return found.map(({ id }) => `/orders/${id}`)
  }, Effect.scoped)

  yield* fill(ordinal)
  const ordinalPaths = yield* idsOf(ordinalUrl, "ordinal.events")
  const reads = { method: "GET", paths: ordinalPaths } as const
  const list = { method: "GET", paths: ["/orders?customerId=ada&limit=20"] } as const
  const live = { method: "GET", paths: ["/health/live"] } as const
  const subjects: Array<Subject> = []
  const add = (name: string, peer: Peer, load: Omit<Load, "port" | "seconds">) =>
    subjects.push({ name, peer, load, rounds: [] })
  let emmettPaths: ReadonlyArray<string> = []
  if (emmett !== undefined) {
    yield* fill(emmett)
    emmettPaths = yield* idsOf(emmettUrl, "emt_messages")
  }
  for (const count of connections) {
    add("post bare", bare, { ...post, connections: count })
    add("post ordinal", ordinal, { ...post, connections: count })
    if (emmett !== undefined) add("post emmett", emmett, { ...post, connections: count })
    add("get bare", bare, { ...live, connections: count })
    add("get ordinal", ordinal, { ...reads, connections: count })
    if (emmett !== undefined) add("get emmett", emmett, { ...reads, paths: emmettPaths, connections: count })
    add("list ordinal", ordinal, { ...list, connections: count })
    add("live ordinal", ordinal, { ...live, connections: count })
  }
  const insertRates: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    for (const { load, peer, rounds } of subjects) rounds.push(yield* measure(peer, { ...load, seconds }))
    insertRates.push((yield* Measurement.drive(inserts, seconds)).perSecond)
    console.log(`round ${round + 1} of ${rounds} is done`)
  }

  const insertsPerSecond = Measurement.spread(insertRates)
  const figures = subjects.map(({ load, name, rounds }) => ({
    name,
    connections: load.connections,
    perSecond: Measurement.spread(rounds.map(({ perSecond }) => perSecond)),
    p50: Measurement.spread(rounds.map(({ p50 }) => p50)).median,
    p99: Measurement.spread(rounds.map(({ p99 }) => p99)).median,
    cpuMicros: Measurement.spread(rounds.map(({ cpuMicros }) => cpuMicros ?? Number.NaN)).median
  }))
  const rateOf = (name: string, connections: number) =>
    figures.find((figure) => figure.name === name && figure.connections === connections)?.perSecond.median
  const ratios: Array<{ readonly ratio: string; readonly connections: number; readonly value: number }> = []
  for (const connections of new Set(figures.map((figure) => figure.connections))) {
    const compare = (of: string, to: string, rate = rateOf(to, connections)) => {
      if (rate === undefined) return
      const value = Number((rateOf(of, connections)! / rate).toPrecision(3))
      ratios.push({ ratio: `${of} ÷ ${to}`, connections, value })
    }
    compare("post ordinal", "post emmett")
    compare("post ordinal", "inserts", insertsPerSecond.median)
    compare("post ordinal", "post bare")
    compare("get ordinal", "get emmett")
    compare("get ordinal", "get bare")
    compare("list ordinal", "get bare")
  }
  console.log(`\n${"".padEnd(28)}per second (min – max), p50 and p99 in ms, CPU of the server's process in µs`)
  for (const { connections, cpuMicros, name, p50, p99, perSecond } of figures) {
    const range = `${perSecond.median} (${perSecond.min} – ${perSecond.max})`
    console.log(`${`${name}, ${connections}`.padEnd(28)}${range.padEnd(28)}${p50} ${p99}  ${cpuMicros}`)
  }
  console.log(`inserts, ${insertConnections} connections: ${insertsPerSecond.median}`)
  for (const { connections, ratio, value } of ratios) console.log(`${`${ratio}, ${connections}`.padEnd(40)}${value}`)
  return { bench: "http", size, ranOn, orders, insertsPerSecond, figures, ratios }
}, Effect.scoped)
