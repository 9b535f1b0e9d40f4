/**
 * Chooses the server of each request, where several share a database. What is about one order, product or customer goes to
 * the server that ranks first for its id, so that commands meet in the one process that has its state in memory; all else
 * goes to any server. `tryEach` sends a request on to the next server by rank.
 */
import { Context, Effect, Random } from "effect"
import { HttpClient, HttpClientRequest } from "effect/http"
import * as Rendezvous from "./Rendezvous.ts"

type Url = string | URL

/** One server, or all of several; each with the prefix under which the API is mounted there, if there is one. */
export type Urls = Url | ReadonlyArray<Url>

export interface Servers {
  readonly command: ReadonlyArray<string>
  readonly query: ReadonlyArray<string>
}

export const listOf = (option: string, urls: Urls): ReadonlyArray<string> => {
  const list = [urls].flat().map((url) => String(url).replace(/\/+$/, ""))
  if (list.length === 0) throw new TypeError(`${option} names no server; give it at least one URL.`)
  return [...new Set(list)]
}

interface Try {
  /** So many servers have been tried before. */
  readonly rank: number
  /** Ranks the servers for a request without an id. */
  readonly seed: string
}

const Try = Context.Reference<Try>("ordinal/http/client/Servers/Try", { defaultValue: () => ({ rank: 0, seed: "" }) })

const pathId = /^\/(?:orders|products|customers)\/([^/?]+)/

const serverOf = ({ command, query }: Servers, request: HttpClientRequest.HttpClientRequest, { rank, seed }: Try) => {
  const servers = request.method === "GET" ? query : command
  // Whoever sends a keyed request again meets the first one in the same process.
  const key = pathId.exec(request.url)?.[1] ?? request.headers["idempotency-key"] ?? seed
  const ranked = servers.length === 1 ? servers : Rendezvous.rank(servers, key)
  return ranked[rank % ranked.length]!
}

/** Gives each request, which has only its path, the server that it goes to. */
export const addressed = (servers: Servers) =>
  HttpClient.mapRequestEffect((request: HttpClientRequest.HttpClientRequest) =>
    Effect.map(Try, (tried) => HttpClientRequest.prependUrl(request, serverOf(servers, request, tried)))
  )

/** Calls again at the next server as long as it fails with what another server may do better, until none is left. */
export const tryEach = <A, E, R>(
  servers: number,
  call: Effect.Effect<A, E, R>,
  isOthers: (error: E) => boolean
): Effect.Effect<A, E, R> =>
  servers === 1
    ? call
    : Effect.flatMap(Random.next, (seed) => {
        const from = (rank: number): Effect.Effect<A, E, R> => {
          const one = Effect.provideService(call, Try, { rank, seed: String(seed) })
          return rank + 1 === servers ? one : Effect.catchIf(one, isOthers, () => from(rank + 1))
        }
        return from(0)
      })
