/** A client of an event stream who goes on where it was whenever the stream ends, and notes what came when. */
import { setTimeout as pause } from "node:timers/promises"
import { isEvent, type Message, over, type Transport } from "./StreamConnection.ts"
import { until } from "../clocks/Until.ts"
import { now } from "../clocks/RunningTime.ts"

export interface ResumingFollower {
  readonly name: string
  /** Positions in the order in which they came. */
  readonly positions: ReadonlyArray<number>
  /** This tells when each position came, by `RunningTime`. */
  readonly arrived: ReadonlyMap<number, number>
  /** The greatest position that came and was not said to be ahead of the view. */
  readonly viewed: () => number
  /** The client had to connect again so many times. */
  readonly resumes: () => number
  /** When this event was there. */
  readonly awaitPosition: (position: number, patience?: { readonly patience?: number }) => Promise<number>
  /** Ends the connection as a cut cable does; the client goes on over a new one. */
  readonly cut: () => void
  readonly stop: () => Promise<void>
}

export const follow = (transport: Transport, url: string, start: number): ResumingFollower => {
  const positions: Array<number> = []
  const arrived = new Map<number, number>()
  const stopping = new AbortController()
  let [after, connections, viewed] = [start, 0, 0]
  let cut = () => {}

  const note = (message: Message) => {
    if (isEvent(message)) {
      positions.push(message.position)
      arrived.set(message.position, now())
      if (message.data.ahead !== true) viewed = Math.max(viewed, message.position)
    }
    // Where a heartbeat or `caught-up` says it is may be gone on from, too.
    after = Math.max(after, message.position)
  }
  const connect = async () => {
    const connection = await over[transport](url, { query: `?after=${after}` }, note)
    connections += 1
    cut = connection.cut
    if (stopping.signal.aborted) cut()
    await connection.ended
  }
  const running = (async () => {
    while (!stopping.signal.aborted) {
      await connect().catch(() => {})
      await pause(20)
    }
  })()

  return {
    name: `${transport} at ${url}`,
    positions,
    arrived,
    viewed: () => viewed,
    resumes: () => Math.max(0, connections - 1),
    awaitPosition: (position, patience) =>
      until(
        () => arrived.get(position),
        (at) => at !== undefined,
        { what: `Position ${position} over ${transport}`, ...patience }
      ),
    cut: () => cut(),
    stop: async () => {
      stopping.abort()
      cut()
      await running
    }
  }
}
