/** A client of the event streams that keeps of each event only its position and when it came, however many come. */
import { NodeWS } from "@effect/platform-node"
import { get } from "node:http"

export type Transport = "SSE" | "WebSocket"

export interface Asked {
  readonly transport: Transport
  /** Of one customer; of all if absent. */
  readonly customer?: string
  /** From now on if absent. */
  readonly after?: number
}

/** How it ended. SSE: code 0 as the protocol has it, 1 cut off. */
export interface End {
  readonly code: number
  readonly reason: string
}

export interface PushClient {
  readonly positions: Array<number>
  /** Of each position: milliseconds since 1970, to the microsecond. */
  readonly times: Array<number>
  /** Where to go on from: the last position it heard of, controls included. */
  readonly last: () => number | undefined
  /** How many were said to be ahead of the view. */
  readonly ahead: () => number
  /** What it was sent that it should not have been. */
  readonly faults: Array<string>
  readonly end: () => End | undefined
  /** Until it has heard of this position, or has ended. */
  readonly until: (position: number) => Promise<void>
  readonly stopReading: () => void
  readonly startReading: () => void
  readonly cut: () => void
}

/** One clock for all processes of a machine. */
export const now = () => performance.timeOrigin + performance.now()

const query = ({ after, customer }: Asked) =>
  new URLSearchParams({
    ...(after === undefined ? {} : { after: String(after) }),
    ...(customer === undefined ? {} : { customerId: customer })
  })

const collector = () => {
  const positions: Array<number> = []
  const times: Array<number> = []
  const faults: Array<string> = []
  let last: number | undefined
  let ahead = 0
  let end: End | undefined
  let awaited: { readonly position: number; readonly resolve: () => void } | undefined
  return {
    until: (position: number) =>
      new Promise<void>((resolve) => {
        if (end !== undefined || (last ?? 0) >= position) return resolve()
        awaited = { position, resolve }
      }),
    positions,
    times,
    faults,
    last: () => last,
    ahead: () => ahead,
    end: () => end,
    over: (code: number, reason: string) => {
      end ??= { code, reason }
      awaited?.resolve()
    },
    take: (text: string, id?: string) => {
      const message = JSON.parse(text)
      const position: number = message.position ?? Number(message.sequence)
      if (id !== undefined && id !== String(position)) faults.push(`id ${id} stands at position ${position}`)
      if (message.ahead === true) ahead += 1
      last = position
      if (awaited !== undefined && position >= awaited.position) awaited.resolve()
      if (message.control !== undefined) return
      positions.push(position)
      times.push(now())
    }
  }
}

const overSse = (url: string, asked: Asked): Promise<PushClient> =>
  new Promise((resolve, reject) => {
    const { over, take, ...collected } = collector()
    const request = get(`${url}/events?${query(asked)}`, { agent: false }, (response) => {
      if (response.statusCode !== 200) return reject(new Error(`answered ${response.statusCode}`))
      let rest = ""
      response.setEncoding("utf8")
      response.on("data", (text: string) => {
        const blocks = (rest + text).split("\n\n")
        rest = blocks.pop()!
        for (const block of blocks) {
          const [, id, data] = /^id: (\d+)\nevent: .*\ndata: (.*)$/.exec(block) ?? []
          if (data !== undefined) take(data, id)
        }
      })
      response.on("close", () => over(response.complete ? 0 : 1, ""))
      response.on("error", () => {})
      resolve({
        ...collected,
        stopReading: () => response.pause(),
        startReading: () => response.resume(),
        cut: () => response.destroy()
      })
    })
    request.on("error", reject)
  })

const overWebSocket = (url: string, asked: Asked): Promise<PushClient> =>
  new Promise((resolve, reject) => {
    const { over, take, ...collected } = collector()
    const socket = new NodeWS.WebSocket(`${url.replace("http", "ws")}/events/ws?${query(asked)}`)
    socket.on("message", (bytes) => take(String(bytes)))
    socket.on("close", (code, reason) => over(code, String(reason)))
    socket.on("error", reject)
    socket.on("open", () =>
      resolve({
        ...collected,
        stopReading: () => socket.pause(),
        startReading: () => socket.resume(),
        cut: () => socket.terminate()
      })
    )
  })

export const open = (url: string, asked: Asked): Promise<PushClient> =>
  asked.transport === "SSE" ? overSse(url, asked) : overWebSocket(url, asked)
