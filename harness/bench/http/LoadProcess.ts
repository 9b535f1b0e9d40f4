/**
 * Sends HTTP requests over so many connections for a while, checks every answer, and counts. It is a process of its own
 * with raw sockets, so that it takes little of the processor from the server that is measured.
 *
 * It knows no chunked answers: an answer names its `Content-Length`. The first answer that is not as it must be ends the
 * load.
 */
import { connect } from "node:net"
import * as OpenLoop from "../../clients/OpenLoop.ts"
import { percentiles } from "../Measurement.ts"
import { zipf } from "./Zipf.ts"

/** A kind of request. */
export interface Part {
  readonly name: string
  readonly method: "GET" | "POST"
  /** May hold `{id}`, which stands for one of `ids`; the answer must contain that id then. */
  readonly path: string
  /** Chosen at random. `placed`: ids that answers of this load told, each used once; without one, part 0 is sent. */
  readonly ids?: ReadonlyArray<string> | "placed"
  /** Some ids are read far more often than others, as is usual; without it all are equally likely. */
  readonly isZipf?: boolean
  readonly body?: string
  /** More lines of the head, each with its end. */
  readonly headers?: string
  /** True if each request has an idempotency key of its own. */
  readonly isKeyed?: boolean
  readonly status: number
  /** The server may refuse it with 503 `overloaded`, or fail to answer it as it must be, which is counted and ends nothing. */
  readonly isRefusable?: boolean
  /** The answer has so many ids of orders in it. */
  readonly orderIds?: number
  /** The part's share of all requests; 1 if not given. */
  readonly weight?: number
}

export interface Load {
  readonly port: number
  readonly parts: ReadonlyArray<Part>
  readonly connections: number
  readonly seconds: number
  /**
   * Requests a second, sent when they are due, whether or not the earlier ones were answered; times count from when a
   * request was due. Without it, each connection sends its next request as soon as it has an answer.
   */
  readonly rate?: number
}

export interface Times {
  readonly p50: number
  readonly p99: number
}

export interface LoadResult extends Times {
  readonly perSecond: number
  readonly answers: number
  /** Answers and times by the name of the part. */
  readonly parts: Readonly<Record<string, Times & { readonly answers: number }>>
  /** Requests that were sent more than 50 ms after they were due. */
  readonly late: number
  /** Refusable requests that were answered otherwise than they may be. */
  readonly failed: number
  /** Requests that were refused, and the 99th percentile of the milliseconds until that was said. */
  readonly refused: number
  readonly refusedP99: number
  /** The times of what was answered, from when it was sent, and not from when it was due. */
  readonly fromSending: Times
}

interface Connection {
  /** Sends a request and gives the answer. Only one at a time. */
  readonly exchange: (request: Buffer) => Promise<{ readonly status: number; readonly body: Buffer }>
  readonly close: () => void
}

const headEnd = Buffer.from("\r\n\r\n")
const orderIdKey = Buffer.from('"orderId":"')
const quote = '"'.charCodeAt(0)

const open = (port: number) =>
  new Promise<Connection>((opened, failed) => {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true })
    let received = Buffer.alloc(0)
    type Answered = Awaited<ReturnType<Connection["exchange"]>>
    let pending: { readonly resolve: (answer: Answered) => void; readonly reject: (error: Error) => void } | undefined
    const fail = (error: Error) => {
      failed(error)
      pending?.reject(error)
    }
    socket.on("error", fail)
    socket.on("close", () => fail(new Error("The server closed a connection.")))
    socket.on("data", (bytes) => {
      received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
      const head = received.indexOf(headEnd)
      if (head < 0) return
      const text = received.toString("latin1", 0, head)
      const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1])
      if (Number.isNaN(length)) return fail(new Error(`An answer names no Content-Length:\n${text}`))
      if (received.length < head + 4 + length) return
      const body = received.subarray(head + 4)
      received = Buffer.alloc(0)
      pending!.resolve({ status: Number(text.slice(9, 12)), body })
    })
    const exchange: Connection["exchange"] = (request) =>
      new Promise((resolve, reject) => {
        pending = { resolve, reject }
        socket.write(request)
      })
    socket.on("connect", () => opened({ exchange, close: () => socket.removeAllListeners("close").destroy() }))
  })

const countOf = (body: Buffer, text: Buffer) => {
  let count = 0
  for (let at = body.indexOf(text); at >= 0; at = body.indexOf(text, at + text.length)) count++
  return count
}

const orderIdIn = (body: Buffer): string | undefined => {
  const at = body.indexOf(orderIdKey)
  if (at < 0) return undefined
  const start = at + orderIdKey.length
  return body.toString("latin1", start, body.indexOf(quote, start))
}

const keys = `${process.pid}-${Date.now()}`
let keyed = 0

/** Makes the requests of a part, each with its id. */
const requestsOf = (
  { body = "", headers = "", ids = [], isKeyed, isZipf, method, path }: Part,
  placed: Array<string>
) => {
  const type = body === "" ? "" : "Content-Type: application/json\r\n"
  const length = method === "POST" ? `Content-Length: ${Buffer.byteLength(body)}\r\n` : ""
  const make = (id: string) => {
    const key = isKeyed === true ? `Idempotency-Key: "${keys}-${keyed++}"\r\n` : ""
    const first = `${method} ${path.replace("{id}", id)} HTTP/1.1`
    return Buffer.from(`${first}\r\nHost: 127.0.0.1\r\n${type}${key}${headers}${length}\r\n${body}`)
  }
  if (ids === "placed") {
    return () => {
      const id = placed.pop()
      return id === undefined ? undefined : { id, bytes: make(id) }
    }
  }
  if (isKeyed === true || ids.length === 0) {
    const always = isKeyed === true ? undefined : make("")
    return () => ({ id: "", bytes: always ?? make("") })
  }
  const made = ids.map((id) => ({ id, bytes: make(id) }))
  const index = isZipf === true ? zipf(made.length) : () => Math.floor(Math.random() * made.length)
  return () => made[index()]!
}

const run = async ({ connections, parts, port, rate, seconds }: Load): Promise<LoadResult> => {
  const placed: Array<string> = []
  const isPlacing = parts.some(({ ids }) => ids === "placed")
  const refusedMillis: Array<number> = []
  let failed = 0
  const sendingMillis: Array<number> = []
  const kinds = parts.map((part) => ({ part, next: requestsOf(part, placed), millis: new Array<number>() }))
  const weights = parts.map(({ weight = 1 }) => weight)
  const all = weights.reduce((sum, weight) => sum + weight, 0)

  const choose = () => {
    let rest = Math.random() * all
    const index = weights.findIndex((weight) => (rest -= weight) < 0)
    const kind = kinds[Math.max(0, index)]!
    const request = kind.next()
    return request === undefined ? { kind: kinds[0]!, request: kinds[0]!.next()! } : { kind, request }
  }
  /** One request and its answer; the time counts from `due`. */
  const once = async (connection: Connection, due: number) => {
    const { kind, request } = choose()
    const sent = performance.now()
    const { body, status } = await connection.exchange(request.bytes)
    const now = performance.now()
    if (status !== kind.part.status && kind.part.isRefusable === true) {
      if (status === 503 && body.includes("/problems/overloaded")) refusedMillis.push(now - sent)
      else failed += 1
      return
    }
    kind.millis.push(now - due)
    sendingMillis.push(now - sent)
    const { ids, name, orderIds, status: wanted } = kind.part
    const isRight =
      status === wanted &&
      (orderIds === undefined || countOf(body, orderIdKey) === orderIds) &&
      (request.id === "" || body.includes(request.id))
    if (!isRight)
      throw new Error(`${name}: the answer is not as it must be: ${status} ${body.toString("utf8", 0, 600)}`)
    if (isPlacing && ids === undefined) {
      const id = orderIdIn(body)
      if (id !== undefined) placed.push(id)
    }
  }

  const opened = await Promise.all(Array.from({ length: connections }, () => open(port)))
  const start = performance.now()
  let late = 0
  if (rate === undefined) {
    const end = start + seconds * 1000
    const loop = async (connection: Connection) => {
      for (let now = start; now < end; now = performance.now()) await once(connection, now)
    }
    await Promise.all(opened.map(loop))
  } else {
    const idle = [...opened]
    const waiting: Array<(connection: Connection) => void> = []
    const paced = await OpenLoop.run({ rate, seconds, callers: Math.max(500, connections) }, async (index) => {
      const connection = idle.pop() ?? (await new Promise<Connection>((resolve) => waiting.push(resolve)))
      await once(connection, start + (index * 1000) / rate).finally(() => {
        const next = waiting.shift()
        if (next === undefined) idle.push(connection)
        else next(connection)
      })
    })
    if (paced.failed > 0) throw new Error(paced.failure)
    late = paced.late
  }
  const took = (performance.now() - start) / 1000
  for (const connection of opened) connection.close()
  const millis = kinds.flatMap((kind) => kind.millis)
  return {
    perSecond: Math.round(millis.length / took),
    answers: millis.length,
    ...percentiles(millis),
    parts: Object.fromEntries(
      kinds.map(({ millis, part }) => [part.name, { answers: millis.length, ...percentiles(millis) }])
    ),
    late,
    failed,
    refused: refusedMillis.length,
    refusedP99: percentiles(refusedMillis).p99,
    fromSending: percentiles(sendingMillis)
  }
}

process.on("message", (load: Load) => {
  run(load).then(
    (result) => process.send!(result),
    (error: unknown) => process.send!({ error: String(error) })
  )
})
