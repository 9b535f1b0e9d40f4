/**
 * A connection to the event streams, as plain as can be: it hands on each message as it came, over either transport,
 * and keeps none.
 */
import { NodeWS } from "@effect/platform-node"
import { Sse } from "effect/encoding"
import { get } from "node:http"

export type Transport = "SSE" | "WebSocket"

export interface Message {
  /** This is the event's `id:` over SSE. */
  readonly id?: string
  /** This is the event's type, or the control's name. */
  readonly name: string
  readonly position: number
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any
}

export type Take = (message: Message) => void

/**
 * This is the end of a stream: a WebSocket's code and reason; over SSE code 0 for a proper end, 1 if it was cut off.
 */
export interface End {
  readonly code: number
  readonly reason: string
}

export interface StreamConnection {
  /** Gives the next message that is as asked; fails if the stream ends before. */
  readonly until: (isIt: (message: Message) => boolean) => Promise<Message>
  readonly ended: Promise<End>
  readonly stopReading: () => void
  readonly startReading: () => void
  /** Ends the connection as a cut cable does. */
  readonly cut: () => void
}

export interface Asked {
  /** This is the query of the URL, from `?` on. */
  readonly query?: string
  readonly headers?: Readonly<Record<string, string>>
}

/** True for an event, false for a control, which only says how far the stream is. */
export const isEvent = ({ data }: Message): boolean => data.control === undefined

const receiver = (take: Take) => {
  const waits = new Set<(message: Message) => void>()
  const { promise: ended, resolve: end } = Promise.withResolvers<End>()
  const until = (isIt: (message: Message) => boolean) =>
    new Promise<Message>((resolve, reject) => {
      const wait = (message: Message) => {
        if (!isIt(message)) return
        waits.delete(wait)
        resolve(message)
      }
      waits.add(wait)
      void ended.then(({ code, reason }) => reject(new Error(`the stream ended (${code} ${reason})`)))
    })
  const receive = (text: string, id?: string, name?: string) => {
    const data = JSON.parse(text)
    const message = {
      name: name ?? data.control ?? data.type,
      position: data.position ?? Number(data.sequence),
      data,
      ...(id === undefined ? {} : { id })
    }
    take(message)
    for (const wait of waits) wait(message)
  }
  return { receive, end, connection: { until, ended } }
}

/** Follows `/events`; rejects with the status if the answer is not a stream. */
export const overSse = (url: string, { headers = {}, query = "" }: Asked, take: Take): Promise<StreamConnection> =>
  new Promise((resolve, reject) => {
    const { connection, end, receive } = receiver(take)
    const parser = Sse.makeParser((event) => {
      if (event._tag === "Event") receive(event.data, event.id ?? "", event.event)
    })
    const request = get(`${url}/events${query}`, { headers, agent: false }, (response) => {
      if (response.statusCode !== 200) {
        response.destroy()
        return reject(new Error(`answered ${response.statusCode}`))
      }
      response.setEncoding("utf8")
      response.on("data", (text: string) => parser.feed(text))
      response.on("close", () => end({ code: response.complete ? 0 : 1, reason: "" }))
      response.on("error", () => {})
      resolve({
        ...connection,
        stopReading: () => response.pause(),
        startReading: () => response.resume(),
        cut: () => response.destroy()
      })
    })
    request.on("error", reject)
  })

/** Follows `/events/ws`; rejects if the WebSocket is not opened. */
export const overWebSocket = (
  url: string,
  { headers = {}, protocols = [], query = "" }: Asked & { readonly protocols?: Array<string> },
  take: Take
): Promise<StreamConnection & { readonly socket: NodeWS.WebSocket }> =>
  new Promise((resolve, reject) => {
    const { connection, end, receive } = receiver(take)
    const socket = new NodeWS.WebSocket(`${url.replace("http", "ws")}/events/ws${query}`, protocols, { headers })
    socket.on("message", (bytes) => receive(String(bytes)))
    socket.on("close", (code, reason) => end({ code, reason: String(reason) }))
    socket.on("unexpected-response", (request, { statusCode }) => {
      request.destroy()
      reject(new Error(`answered ${statusCode}`))
    })
    socket.on("error", reject)
    socket.on("open", () =>
      resolve({
        ...connection,
        socket,
        stopReading: () => socket.pause(),
        startReading: () => socket.resume(),
        cut: () => socket.terminate()
      })
    )
  })

export const over = { SSE: overSse, WebSocket: overWebSocket }

/** Makes a client of one connection that keeps all that came. */
export interface Follower extends StreamConnection {
  readonly messages: Array<Message>
  /** Events only: their positions. */
  readonly positions: () => Array<number>
  /** Gives the first message, had or to come, that is as asked. */
  readonly until: StreamConnection["until"]
  /** This is the last position; the stream can be gone on from there. */
  readonly last: () => number | undefined
}

const follow = async <C extends StreamConnection>(open: (take: Take) => Promise<C>): Promise<C & Follower> => {
  const messages: Array<Message> = []
  const connection = await open((message) => messages.push(message))
  return {
    ...connection,
    messages,
    positions: () => messages.filter(isEvent).map(({ position }) => position),
    last: () => messages.at(-1)?.position,
    until: async (isIt) => messages.find(isIt) ?? connection.until(isIt)
  }
}

/** Follows `/events<query>`; rejects with the status if the answer is not a stream. */
export const followSse = (url: string, query = "", headers: Record<string, string> = {}) =>
  follow((take) => overSse(url, { query, headers }, take))

/** Follows `/events/ws<query>`; rejects if the WebSocket is not opened. */
export const followWs = (
  url: string,
  query = "",
  options: { readonly headers?: Record<string, string>; readonly protocols?: Array<string> } = {}
) => follow((take) => overWebSocket(url, { query, ...options }, take))
