/**
 * Clients who send their requests byte by byte, or do not take their answers, beside normal ones: whom the normal ones must not
 * notice, and whom the server must hang up on. A slow client whose connection was closed comes back at once.
 */
import { connect, type Socket } from "node:net"
import { Effect } from "effect"
import * as HttpLoad from "../bench/http/HttpLoad.ts"
import { spread } from "../bench/Measurement.ts"

export interface Plan {
  readonly databaseUrl: string
  readonly slow: number
  readonly normal: number
  /** Requests of all normal clients in a second. */
  readonly rate: number
  readonly rounds: number
  readonly seconds: number
  /** So many orders are placed first, so that a page of them is large. */
  readonly orders: number
}

const head = "Host: localhost\r\nContent-Type: application/json\r\n"

/**
 * What slow clients send at once, and what they send after it, byte by byte. Four pages are more than the buffers of a socket
 * hold of which nobody reads.
 */
const kinds = {
  headers: { first: "GET /orders HTTP/1.1\r\n", drip: "X-Slow: and slower\r\n", reads: true },
  body: { first: `POST /orders HTTP/1.1\r\n${head}Content-Length: 1000\r\n\r\n`, drip: " ", reads: true },
  answer: { first: "GET /orders?limit=100 HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(4), drip: "", reads: false },
  nothing: { first: "", drip: "", reads: true }
}

type Kind = keyof typeof kinds

const start = (port: number, count: number) => {
  const names = Object.keys(kinds) as ReadonlyArray<Kind>
  const open = new Map<Socket, Kind>()
  const closed: Record<Kind, number> = { headers: 0, body: 0, answer: 0, nothing: 0 }
  let isOver = false
  const dial = (kind: Kind) => {
    const { first, reads } = kinds[kind]
    const socket = connect(port, "127.0.0.1")
    open.set(socket, kind)
    if (reads) socket.resume()
    else socket.pause()
    socket.on("error", () => {})
    socket.on("close", () => {
      open.delete(socket)
      if (isOver) return
      closed[kind] += 1
      dial(kind)
    })
    if (first !== "") socket.write(first)
  }
  for (let index = 0; index < count; index++) dial(names[index % names.length]!)
  let turn = 0
  const dripping = setInterval(() => {
    turn += 1
    for (const [socket, kind] of open) {
      const { drip } = kinds[kind]
      if (drip !== "" && socket.writable) socket.write(drip[turn % drip.length]!)
    }
  }, 1000)
  return {
    closed,
    stop: () => {
      isOver = true
      clearInterval(dripping)
      for (const socket of open.keys()) socket.destroy()
    }
  }
}

export const run = (plan: Plan) =>
  Effect.gen(function* () {
    const server = yield* HttpLoad.running(() => HttpLoad.startOrdinal(plan.databaseUrl))
    const load = yield* HttpLoad.running(async () => HttpLoad.startLoad())
    yield* HttpLoad.fill(load, server, plan.orders, 1)
    const normal = HttpLoad.measure(load, server, {
      parts: [HttpLoad.post, HttpLoad.list],
      connections: plan.normal,
      seconds: plan.seconds,
      rate: plan.rate
    })
    yield* normal
    const [alone, beside]: [Array<number>, Array<number>] = [[], []]
    const closed: Record<Kind, number> = { headers: 0, body: 0, answer: 0, nothing: 0 }
    for (let round = 0; round < plan.rounds; round++) {
      alone.push((yield* normal).p99)
      const slow = start(server.port, plan.slow)
      // To begin with, a thousand connections and what they ask for at once are a load like any other.
      yield* normal
      beside.push((yield* normal).p99)
      slow.stop()
      for (const kind of Object.keys(closed) as ReadonlyArray<Kind>) closed[kind] += slow.closed[kind]
    }
    const rss = yield* Effect.promise(() => HttpLoad.rssOf(server.pid))
    const p99 = { alone: spread(alone), beside: spread(beside) }
    const ratio = p99.beside.median / p99.alone.median
    const faults = ratio < 2 ? [] : [`The p99 beside slow clients is ${ratio.toFixed(2)} times that without them.`]
    return { faults, p99, ratio: Number(ratio.toFixed(2)), closed, rssMiB: rss }
  }).pipe(Effect.scoped, Effect.runPromise)
