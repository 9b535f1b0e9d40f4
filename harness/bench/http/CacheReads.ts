/**
 * Reads of one order through a server that has a cache, beside one that has none, on one database and in turn: with the newest
 * token when nothing is written, and without a token in a shop's day (`mixed`), where writes make cached orders old.
 */
import { Effect } from "effect"
import { call, inParallel } from "../../clients/HttpClient.ts"
import { placement } from "../../fixtures/Shop.ts"
import { fresh } from "../../servers/FreshDatabase.ts"
import * as ServerProcess from "../../servers/ServerProcess.ts"
import * as RedisServer from "../../services/RedisServer.ts"
import { outcomes } from "../../campaigns/CacheRestarts.ts"
import * as HttpLoad from "./HttpLoad.ts"
import * as HttpReport from "./HttpReport.ts"
import type { Part } from "./LoadProcess.ts"

export interface Size {
  readonly rounds: number
  readonly seconds: number
  readonly connections: ReadonlyArray<number>
  readonly orders: number
}

/** So many orders are read, chosen at random out of all. */
const readIds = 5_000

const mix = (ids: ReadonlyArray<string>): ReadonlyArray<Part> => [
  { ...HttpLoad.post, name: "place", body: JSON.stringify(placement({ confirm: false })), weight: 15 },
  { name: "confirm", method: "POST", path: "/orders/{id}/confirm", ids: "placed", status: 202, weight: 15 },
  { name: "get", method: "GET", path: "/orders/{id}", ids, isZipf: true, status: 200, weight: 70 }
]

const started = (settings: ServerProcess.Environment) => HttpLoad.running(() => ServerProcess.start(settings))

const peerOf = ({ pid, stop, url }: ServerProcess.ServerProcess) => ({ pid, stop, port: Number(new URL(url).port) })

export const run = Effect.fnUntraced(function* (
  serverUrl: string,
  { connections, orders, rounds, seconds }: Size,
  load: HttpLoad.LoadProcess
) {
  const url = yield* fresh(serverUrl)
  const cache = yield* Effect.acquireRelease(Effect.promise(RedisServer.start), ({ close }) => Effect.promise(close))
  const filler = yield* HttpLoad.running(() => HttpLoad.startOrdinal(url))
  yield* HttpLoad.fill(load, filler, orders, Math.min(2, seconds))
  yield* Effect.promise(filler.stop)
  const servers = {
    view: yield* started({ DATABASE_URL: url }),
    cache: yield* started({ DATABASE_URL: url, CACHE: cache.url })
  }
  const { ids } = yield* HttpLoad.storedOrders(url, HttpLoad.eventTables.ordinal, readIds)
  const last = yield* Effect.promise(() => call(servers.view.url, "POST", "/orders", { body: placement() }))
  const token = last.headers.get("consistency-token")!
  const get: Part = {
    name: "get",
    method: "GET",
    path: "/orders/{id}",
    ids,
    status: 200,
    headers: `Consistency-Token: ${token}\r\n`
  }
  // Each order is read once, by those who are first: what is measured is a cache that has caught up.
  const warm = () => inParallel(ids, 16, async (id) => void (await call(servers.cache.url, "GET", `/orders/${id}`)))
  yield* Effect.promise(warm)
  const kinds = { "get with a token": [get], mixed: mix(ids) }

  const figures: Array<HttpReport.Figure> = []
  const hitRates: Record<string, number> = {}
  for (const [kind, parts] of Object.entries(kinds)) {
    for (const count of connections) {
      const measured = { view: new Array<HttpLoad.HttpRound>(), cache: new Array<HttpLoad.HttpRound>() }
      // The first time warms both up.
      for (let round = 0; round <= rounds; round++) {
        for (const side of ["view", "cache"] as const) {
          const server = servers[side]
          const before = yield* Effect.promise(() => outcomes(server))
          const result = yield* HttpLoad.measure(load, peerOf(server), { parts, connections: count, seconds })
          if (round === 0) continue
          measured[side].push(result)
          if (side === "view" || round < rounds) continue
          const after = yield* Effect.promise(() => outcomes(server))
          const more = Object.entries(after).map(([name, value]) => [name, value - (before[name] ?? 0)] as const)
          const all = more.reduce((sum, [, value]) => sum + value, 0)
          hitRates[`${kind}, ${count}`] = Number(((Object.fromEntries(more)["hit"] ?? 0) / all).toPrecision(3))
        }
      }
      for (const side of ["view", "cache"] as const)
        figures.push(HttpReport.figure(`${kind}, ${side}`, count, measured[side]))
    }
  }
  const rateOf = (name: string, count: number) =>
    figures.find((figure) => figure.name === name && figure.connections === count)?.perSecond.median
  const ratios = Object.keys(kinds).flatMap((kind) =>
    connections.flatMap((count) =>
      HttpReport.ratio(`${kind}, cache ÷ view`, count, rateOf(`${kind}, cache`, count), rateOf(`${kind}, view`, count))
    )
  )
  HttpReport.print(figures, ratios)
  for (const [name, rate] of Object.entries(hitRates)) console.log(`hit rate, ${name} connections: ${rate}`)
  return { orders, figures, ratios, hitRates }
})
