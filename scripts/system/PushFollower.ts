/** A client of an event stream who goes on where it was whenever the stream ends, and notes what came when. */
import { followSse, followWs, type Message } from "../../test/http/streams.ts"

export type Transport = "SSE" | "WebSocket"

export interface PushFollower {
  readonly name: string
  /** Positions in the order in which they came. */
  readonly positions: ReadonlyArray<number>
  /** By position: when it came, by `performance.now()`. */
  readonly arrived: ReadonlyMap<number, number>
  /** How often it had to connect again. */
  readonly resumes: () => number
  /** When this event was there. */
  readonly awaitPosition: (position: number, patience: number) => Promise<number>
  /** As a cut cable: it goes on on a new connection. */
  readonly cut: () => void
  readonly stop: () => Promise<void>
}

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

export const follow = (transport: Transport, url: string, start: number): PushFollower => {
  const positions: Array<number> = []
  const arrived = new Map<number, number>()
  const over = new AbortController()
  let [after, connections] = [start, 0]
  let cut = () => {}

  const note = ({ name, position }: Message) => {
    if (name.startsWith("order.")) {
      positions.push(position)
      arrived.set(position, performance.now())
    }
    // Where a heartbeat or `caught-up` says it is may be gone on from, too.
    after = Math.max(after, position)
  }
  const connect = async () => {
    const follower = await (transport === "SSE" ? followSse : followWs)(url, `?after=${after}`)
    connections += 1
    cut = follower.cut
    if (over.signal.aborted) return cut()
    let noted = 0
    const noteNew = () => {
      while (noted < follower.messages.length) note(follower.messages[noted++]!)
      return false
    }
    // Never found: it ends with the stream, and meanwhile looks at each message.
    await follower.until(noteNew).catch(() => {})
  }
  const running = (async () => {
    while (!over.signal.aborted) {
      await connect().catch(() => {})
      await pause(20)
    }
  })()

  return {
    name: `${transport} at ${url}`,
    positions,
    arrived,
    resumes: () => Math.max(0, connections - 1),
    awaitPosition: async (position, patience) => {
      const deadline = performance.now() + patience
      while (!arrived.has(position)) {
        if (performance.now() > deadline) throw new Error(`${transport}: ${position} did not come in ${patience} ms`)
        await pause(5)
      }
      return arrived.get(position)!
    },
    cut: () => cut(),
    stop: async () => {
      over.abort()
      cut()
      await running
    }
  }
}
