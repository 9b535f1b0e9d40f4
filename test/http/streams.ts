/** Clients of the event streams, as plain as can be: a socket each, and what came over it. */
import { NodeWS } from "@effect/platform-node"
import { get, type IncomingMessage } from "node:http"

export interface Message {
  /** Of SSE. */
  readonly id?: string
  readonly name: string
  readonly position: number
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any
}

export interface Follower {
  readonly messages: Array<Message>
  /** Events only: their positions. */
  readonly positions: () => Array<number>
  /** The first message, had or to come, that is as asked. */
  readonly until: (isIt: (message: Message) => boolean) => Promise<Message>
  /** Where to go on from. */
  readonly last: () => number | undefined
  /** How it ended: for WebSockets the code and the reason. */
  readonly ended: Promise<{ readonly code: number; readonly reason: string }>
  readonly stopReading: () => void
  readonly startReading: () => void
  /** As a cut cable. */
  readonly cut: () => void
}

interface Wait {
  readonly isIt: (message: Message) => boolean
  readonly resolve: (message: Message) => void
  readonly reject: (error: Error) => void
}

const isEvent = ({ name }: Message) => name !== "heartbeat" && name !== "caught-up"

const collector = () => {
  const messages: Array<Message> = []
  const waits = new Set<Wait>()
  let isOver = false
  let onEnd: (end: { readonly code: number; readonly reason: string }) => void = () => {}
  const ended = new Promise<{ readonly code: number; readonly reason: string }>((resolve) => (onEnd = resolve))
  return {
    messages,
    ended,
    add: (message: Message) => {
      messages.push(message)
      for (const wait of waits) {
        if (!wait.isIt(message)) continue
        waits.delete(wait)
        wait.resolve(message)
      }
    },
    end: (code: number, reason: string) => {
      isOver = true
      onEnd({ code, reason })
      for (const { reject } of waits) reject(new Error(`the stream ended (${code} ${reason})`))
    },
    positions: () => messages.filter(isEvent).map(({ position }) => position),
    last: () => messages.at(-1)?.position,
    until: (isIt: (message: Message) => boolean) =>
      new Promise<Message>((resolve, reject) => {
        const had = messages.find(isIt)
        if (had !== undefined) return resolve(had)
        if (isOver) return reject(new Error("the stream has ended"))
        waits.add({ isIt, resolve, reject })
      })
  }
}

// oxlint-disable-next-line typescript/no-explicit-any
const positionOf = (data: any): number => data.position ?? Number(data.sequence)

const parseBlock = (block: string): Message | undefined => {
  const fields = new Map(
    block.split("\n").flatMap((line) => {
      const colon = line.indexOf(": ")
      return colon <= 0 ? [] : [[line.slice(0, colon), line.slice(colon + 2)] as const]
    })
  )
  const data = fields.get("data")
  if (data === undefined) return undefined
  const parsed = JSON.parse(data)
  return { id: fields.get("id") ?? "", name: fields.get("event") ?? "", data: parsed, position: positionOf(parsed) }
}

/** Follows `/events<query>`; rejects with the status if the answer is not a stream. */
export const followSse = (url: string, query = "", headers: Record<string, string> = {}): Promise<Follower> =>
  new Promise((resolve, reject) => {
    const collected = collector()
    const read = (response: IncomingMessage) => {
      if (response.statusCode !== 200) return reject(new Error(`answered ${response.statusCode}`))
      let rest = ""
      response.setEncoding("utf8")
      response.on("data", (text: string) => {
        const blocks = (rest + text).split("\n\n")
        rest = blocks.pop()!
        for (const block of blocks) {
          const message = parseBlock(block)
          if (message !== undefined) collected.add(message)
        }
      })
      // Code 0: as the protocol has it. 1: cut off.
      response.on("close", () => collected.end(response.complete ? 0 : 1, ""))
      response.on("error", () => {})
      resolve({
        ...collected,
        stopReading: () => response.pause(),
        startReading: () => response.resume(),
        cut: () => response.destroy()
      })
    }
    const request = get(`${url}/events${query}`, { headers, agent: false }, read)
    request.on("error", reject)
  })

/** Follows `/events/ws<query>`; rejects if the WebSocket is not opened. */
export const followWs = (
  url: string,
  query = "",
  options: { readonly headers?: Record<string, string>; readonly protocols?: Array<string> } = {}
): Promise<Follower & { readonly socket: NodeWS.WebSocket }> =>
  new Promise((resolve, reject) => {
    const collected = collector()
    const socket = new NodeWS.WebSocket(`${url.replace("http", "ws")}/events/ws${query}`, options.protocols ?? [], {
      headers: options.headers ?? {}
    })
    socket.on("message", (bytes) => {
      const data = JSON.parse(String(bytes))
      collected.add({ name: data.control ?? data.type, data, position: positionOf(data) })
    })
    socket.on("close", (code, reason) => collected.end(code, String(reason)))
    socket.on("unexpected-response", (_, response) => reject(new Error(`answered ${response.statusCode}`)))
    socket.on("error", reject)
    socket.on("open", () =>
      resolve({
        ...collected,
        socket,
        stopReading: () => socket.pause(),
        startReading: () => socket.resume(),
        cut: () => socket.terminate()
      })
    )
  })
