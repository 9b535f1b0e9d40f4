/**
 * Refuses requests with 503 while the server can't answer them in time: at its door, when no more than their head was read.
 *
 * How long a request is going to wait follows from Little's law: the requests that are being answered, divided by how many are
 * answered in a second. So as many are let in as are answered in the time that a request may wait, and the others are told to
 * come back, which costs next to nothing (an adaptive limit on concurrency, as in Welsh and Culler, "Adaptive Overload Control
 * for Busy Internet Servers", 2003). Queries are counted apart from what changes something, so that neither takes the room of
 * the other. Whoever sends or reads slowly takes none of it: a request counts from when all of it is there until its answer is
 * complete. Health checks are always let in, and so are event streams, whose number is bounded elsewhere. A request that
 * agrees to wait for a view is refused like any other, but says nothing of how long others wait.
 */
import type { IncomingMessage, Server, ServerResponse } from "node:http"
import { Context, Duration, Effect, Layer, Schema } from "effect"
import { ProblemDetails } from "effect/http"
import { Overloaded } from "../../eventstore/EventStoreErrors.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { supervise } from "../../supervision/Supervisor.ts"
import { counter } from "../../telemetry/Instrument.ts"
import { Problems } from "../problems/Problems.ts"
import * as RequestId from "../wire/RequestId.ts"

/** The rate of answers is measured so often. */
const every = 100
/** So many requests of a kind are let in however slow their answers are, or none would come to show that they are fast again. */
const fewest = 256
/** Before anything was measured, this is what a server answers in a millisecond. */
const firstRate = 2

/** The requests of one kind. */
interface Lane {
  /** Those that were let in and are not answered, as far as is known: some may have been answered since the last look. */
  readonly open: Set<ServerResponse>
  /** So many of them wait for their caller to send the rest, as of the last look. Nobody else waits for these. */
  unsent: number
  lookedAt: number
  answered: number
  /** Answers in a millisecond, as of the last times when there was a queue. */
  rate: number
  wasBusy: boolean
  refused: number
}

const lane = (): Lane => ({
  open: new Set(),
  unsent: 0,
  lookedAt: 0,
  answered: 0,
  rate: firstRate,
  wasBusy: false,
  refused: 0
})

/** An answer that its caller does not take is an answer: whoever reads slowly takes nobody's room. */
const look = (lane: Lane, now: number): void => {
  lane.unsent = 0
  lane.lookedAt = now
  for (const response of lane.open) {
    if (response.writableEnded) {
      lane.open.delete(response)
      lane.answered += 1
    } else if (!response.req.complete) {
      lane.unsent += 1
    }
  }
}

const waitingIn = ({ open, unsent }: Lane): number => open.size - unsent

/** A look takes as long as there are requests, so there are not too many of them. */
const lookAtMostEvery = 10

const isFull = (lane: Lane, target: number): boolean => {
  const limit = Math.max(fewest, lane.rate * target)
  if (waitingIn(lane) < limit) return false
  const now = performance.now()
  if (now - lane.lookedAt >= lookAtMostEvery) look(lane, now)
  return waitingIn(lane) >= limit
}

/** Without a queue, before and after, the answers say how many came, and not how many could be answered. */
export const rateAfter = (rate: number, answered: number, millis: number, wasQueued: boolean): number =>
  wasQueued ? 0.7 * rate + 0.3 * (answered / millis) : rate

const measure = (lane: Lane, now: number, millis: number): void => {
  look(lane, now)
  const isBusy = waitingIn(lane) >= fewest
  lane.rate = rateAfter(lane.rate, lane.answered, millis, isBusy && lane.wasBusy)
  lane.wasBusy = isBusy
  lane.answered = 0
}

const isFree = (url: string): boolean => url.startsWith("/health/") || url.startsWith("/events")

/** Callers who were refused together do not come back together. */
const pauses = [1, 2, 3].map((retryAfter) => ({
  retryAfter: String(retryAfter),
  start: JSON.stringify(
    Schema.encodeSync(Problems.Overloaded)(new Overloaded({ what: "the queue of requests", retryAfter }))
  ).slice(0, -1)
}))
let turn = 0

const refuse = (request: IncomingMessage, response: ServerResponse): void => {
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
  ].flat()
  response.writeHead(503, headers).end(body)
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

/** Requests are refused that would have to wait for longer than `target`. */
export const make = (target: Duration.Duration) => {
  const millis = Duration.toMillis(target)
  const lanes = { query: lane(), command: lane() }

  /** One function for all responses, which finds its own in `this`: a closure for each would cost a microsecond. */
  const answeredIn = (lane: Lane) =>
    function (this: ServerResponse) {
      if (lane.open.delete(this)) lane.answered += 1
    }
  const answered = { query: answeredIn(lanes.query), command: answeredIn(lanes.command) }

  /** Tells whether the request was refused. */
  const refuses = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { headers, method, url = "" } = request
    if (isFree(url)) return false
    const kind = method === "GET" || method === "HEAD" ? "query" : "command"
    const lane = lanes[kind]
    if (isFull(lane, millis)) {
      lane.refused += 1
      refuse(request, response)
      return true
    }
    if (headers["prefer"] !== undefined) return false
    lane.open.add(response)
    response.on("close", answered[kind])
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
    lanes,
    protect,
    measure: () => {
      const now = performance.now()
      for (const lane of Object.values(lanes)) measure(lane, now, now - measuredAt)
      measuredAt = now
    }
  }
}

export const layer = (target: Duration.Duration) =>
  Layer.effect(
    LoadShedding,
    Effect.gen(function* () {
      const { lanes, measure, protect } = make(target)
      const refused = yield* shed
      const outage = OutageLog.make("Answering requests in time")
      const report = Effect.suspend(() => {
        measure()
        const kinds = (["query", "command"] as const).filter((kind) => lanes[kind].refused > 0)
        for (const kind of kinds) {
          refused(lanes[kind].refused, kind)
          lanes[kind].refused = 0
        }
        if (kinds.length === 0) return outage.works
        return outage.failed(`more come than can be answered, so some are refused (${kinds.join(" and ")})`)
      })
      refused.prepare("query")
      refused.prepare("command")
      yield* supervise("load-shedding", Effect.forever(Effect.delay(report, every)))
      return { protect }
    })
  )
