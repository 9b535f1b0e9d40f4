/**
 * Sends HTTP requests over so many connections for a while, one at a time on each, and counts the answers. It is a
 * process of its own with raw sockets, so that it takes little of the processor from the server that is measured.
 *
 * It knows no chunked answers: an answer names its `Content-Length`. Any status that is not 2xx is a failure.
 */
import { connect } from "node:net"

export interface Load {
  readonly port: number
  readonly method: "GET" | "POST"
  /** Each request goes to a path of these, chosen at random. */
  readonly paths: ReadonlyArray<string>
  readonly body?: string
  readonly connections: number
  readonly seconds: number
}

export interface LoadResult {
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly answers: number
  readonly failures: number
  /** The beginning of the first answer that was a failure. */
  readonly firstFailure?: string
}

const headEnd = Buffer.from("\r\n\r\n")

const requestOf = ({ body, method }: Load, path: string): Buffer =>
  Buffer.from(
    `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n` +
      (body === undefined
        ? "\r\n"
        : `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  )

const run = async (load: Load): Promise<LoadResult> => {
  const requests = load.paths.map((path) => requestOf(load, path))
  const millis: Array<number> = []
  let failures = 0
  let firstFailure: string | undefined
  const start = performance.now()
  const end = start + load.seconds * 1000

  const connection = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ port: load.port, host: "127.0.0.1", noDelay: true })
      let sentAt = 0
      let received = Buffer.alloc(0)
      const send = () => {
        sentAt = performance.now()
        if (sentAt >= end) return void socket.end(resolve)
        socket.write(requests[Math.floor(Math.random() * requests.length)]!)
      }
      socket.on("connect", send)
      socket.on("error", reject)
      socket.on("data", (bytes) => {
        received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
        const head = received.indexOf(headEnd)
        if (head < 0) return
        const text = received.toString("latin1", 0, head)
        const length = Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1])
        if (Number.isNaN(length)) return reject(new Error(`The answer names no Content-Length:\n${text}`))
        if (received.length < head + 4 + length) return
        if (text.startsWith("HTTP/1.1 2")) millis.push(performance.now() - sentAt)
        else {
          failures++
          firstFailure ??= received.toString("utf8", 0, 500)
        }
        received = Buffer.alloc(0)
        send()
      })
    })
  await Promise.all(Array.from({ length: load.connections }, connection))
  const seconds = (performance.now() - start) / 1000
  millis.sort((left, right) => left - right)
  const at = (part: number) => Number((millis[Math.floor(millis.length * part)] ?? Number.NaN).toFixed(2))
  return {
    perSecond: Math.round(millis.length / seconds),
    p50: at(0.5),
    p99: at(0.99),
    answers: millis.length,
    failures,
    ...(firstFailure === undefined ? {} : { firstFailure })
  }
}

process.on("message", (load: Load) => {
  run(load).then(
    (result) => process.send!(result),
    (error: unknown) => process.send!({ error: String(error) })
  )
})
