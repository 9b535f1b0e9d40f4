/**
 * Refuses requests with 503 while the server can't answer them in time: at its door, when no more than their head was read.
 *
 * How long a request is going to wait follows from Little's law: the requests that are being answered, divided by how many are
 * answered in a second. So as many are let in as are answered in the time that a request may wait, and the others are told to
 * come back, which costs next to nothing (an adaptive limit on concurrency, as in Welsh and Culler, "Adaptive Overload Control
 * for Busy Internet Servers", 2003). Queries are counted apart from what changes something, so that neither takes the room of
 * the other. Whoever sends or reads slowly takes none of it: a request counts from when all of it is there until its answer is
 * complete. A request that agrees to wait for a view counts apart from those that don't, and may wait for as long as it
 * agreed to, so a view that is behind refuses nobody else. Health checks, preflights and event streams are always let in.
 */
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from "node:http"
import { Context, Duration, Effect, Layer, Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { Overloaded } from "../../eventstore/EventStoreErrors.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import { counter } from "../../telemetry/Instrument.ts"
import { Problems } from "../problems/Problems.ts"
import * as HeaderValue from "../wire/HeaderValue.ts"
import * as RequestId from "../wire/RequestId.ts"
import { isFull, makeLane, measure } from "./Lane.ts"

/** The rate of answers is measured so often. */
const every = 100
/** So many requests of a kind are let in however slow their answers are, or none would come to show that they are fast again. */
const fewest = 256
/** So many that wait for a view are let in however long they take: they cost memory and nothing else. */
const fewestWaiting = 4_096

/** A preflight asks for nothing that costs more than its refusal would. */
const isFree = (url: string, method: string | undefined): boolean =>
  url.startsWith("/health/") || url.startsWith("/events") || method === "OPTIONS"

/** A read with a token waits for so many seconds unless it says otherwise. */
const usualWait = 2

/** Gives the milliseconds that a request agrees to wait for a view: a command if it prefers to, a query if it has a token. */
const agreedWait = (isQuery: boolean, headers: IncomingHttpHeaders): number => {
  if (isQuery && headers["consistency-token"] === undefined) return 0
  return 1_000 * (HeaderValue.waitOf(headers["prefer"]?.toString()) ?? (isQuery ? usualWait : 0))
}

/** Callers who were refused together do not come back together. */
const pauses = [1, 2, 3].map((retryAfter) => ({
  retryAfter: String(retryAfter),
  start: JSON.stringify(
    Schema.encodeSync(Problems.Overloaded)(new Overloaded({ what: "the queue of requests", retryAfter }))
  ).slice(0, -1)
}))
let turn = 0

/** Node reads the rest of a request whose answer is complete; so much of it is worth a connection that stays. */
const smallBody = 64 * 1024

const hasLargeBody = ({ "content-length": length, "transfer-encoding": coding }: IncomingHttpHeaders): boolean =>
  coding !== undefined || Number(length ?? 0) > smallBody

const refuse = (request: IncomingMessage, response: ServerResponse, origins: ReadonlyArray<string>): void => {
  const { retryAfter, start } = pauses[turn++ % pauses.length]!
  const { echo, uuid } = RequestId.make(request.headers["x-request-id"]?.toString())
  const body = `${start},"instance":"urn:uuid:${uuid}"}`
  const headers = [
    ["content-type", ProblemDetails.contentType],
    ["retry-after", retryAfter],
    ["cache-control", "private, no-cache"],
    ["x-content-type-options", "nosniff"],
    ["x-request-id", echo],
    ["content-length", String(Buffer.byteLength(body))]
  ]
  const { origin } = request.headers
  if (origin !== undefined && origins.includes(origin)) {
    headers.push(["access-control-allow-origin", origin], ["access-control-expose-headers", "Retry-After"])
  }
  if (origins.length > 0) headers.push(["vary", "Origin"])
  if (hasLargeBody(request.headers)) headers.push(["connection", "close"])
  response.writeHead(503, headers.flat()).end(body)
}

export interface LoadShedder {
  /** Makes the server refuse what it can't answer in time. */
  readonly protect: (server: Server) => Server
}

/** Nothing is refused at the door unless this is provided. */
export const LoadShedding = Context.Reference<LoadShedder | undefined>("ordinal/http/admission/LoadShedding", {
  defaultValue: () => undefined
})

const shed = counter("http_server_requests_shed_total", "Requests refused at the door because of overload", ["kind"])

const kinds = ["query", "command"] as const
const plurals = { query: "queries", command: "commands" }

/** Requests are refused that would have to wait for longer than `target`; pages of `origins` may read that. */
export const make = (target: Duration.Duration, origins: ReadonlyArray<string> = []) => {
  const millis = Duration.toMillis(target)
  const lanes = { query: makeLane(fewest), command: makeLane(fewest) }
  const waiting = { query: makeLane(fewestWaiting), command: makeLane(fewestWaiting) }

  /** Tells whether the request was refused. */
  const refuses = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { headers, method, url = "" } = request
    if (isFree(url, method)) return false
    const isQuery = method === "GET" || method === "HEAD"
    const wait = agreedWait(isQuery, headers)
    const lane = (wait === 0 ? lanes : waiting)[isQuery ? "query" : "command"]
    if (isFull(lane, millis + wait)) {
      lane.refused += 1
      refuse(request, response, origins)
      return true
    }
    lane.open.add(response)
    response.on("close", lane.onClose)
    return false
  }

  const protect: LoadShedder["protect"] = (server) => {
    const emit: (event: string, ...values: ReadonlyArray<unknown>) => boolean = server.emit.bind(server)
    server.emit = (event: string, ...values: ReadonlyArray<unknown>): boolean => {
      if (event !== "request" && event !== "checkContinue") return emit(event, ...values)
      const [request, response] = values as [IncomingMessage, ServerResponse]
      return refuses(request, response) || emit(event, ...values)
    }
    return server
  }

  let measuredAt = performance.now()
  return {
    protect,
    /** Says how many were refused since it was called before. */
    measure: (): Readonly<Record<(typeof kinds)[number], number>> => {
      const now = performance.now()
      const refused = { query: 0, command: 0 }
      for (const kind of kinds) {
        for (const lane of [lanes[kind], waiting[kind]]) {
          measure(lane, now, now - measuredAt)
          refused[kind] += lane.refused
          lane.refused = 0
        }
      }
      measuredAt = now
      return refused
    },
    /** Says how many of each kind are being answered, as far as is known. */
    open: () => {
      const [query, command] = kinds.map((kind) => lanes[kind].open.size + waiting[kind].open.size)
      return { query: query!, command: command! }
    }
  }
}

export const layer = (target: Duration.Duration, origins: ReadonlyArray<string> = []) =>
  Layer.effect(
    LoadShedding,
    Effect.gen(function* () {
      const { measure, protect } = make(target, origins)
      const refused = yield* shed
      const outage = OutageLog.make("The server", {
        fails: "gets more requests than it can answer in time",
        works: "answers all requests again"
      })
      const report = Effect.suspend(() => {
        const counts = measure()
        const some = kinds.filter((kind) => counts[kind] > 0)
        for (const kind of some) refused(counts[kind], kind)
        if (some.length === 0) return outage.works
        return outage.failed(some.map((kind) => `some ${plurals[kind]} are refused with 503`).join(", "))
      })
      for (const kind of kinds) refused.prepare(kind)
      yield* supervise("load-shedding", Effect.forever(Effect.delay(report, every)))
      return { protect }
    })
  )
