/** How event streams are kept alive, and what one may cost. Names of a message's size are in OrderFeed.ts. */
import { Context, Duration } from "effect"

export interface PushLimits {
  /** Between two `heartbeat` messages. */
  readonly heartbeat: Duration.Duration
  /** Between two WebSocket pings; one that is not answered before the next ends the connection. */
  readonly ping: Duration.Duration
  /** Within which a client takes a batch of messages (at most 128 events, 64 KiB), or is too slow. */
  readonly stall: Duration.Duration
  /** For a client to answer that it was told to go. */
  readonly close: Duration.Duration
  /** For one that is too slow to take the rest of its batch first, behind which it is told to go, and where to go on. */
  readonly slowClose: Duration.Duration
  /** Streams open at the same time, SSE and WebSocket together. */
  readonly connections: number
  /** Of a WebSocket client's message, in bytes, and how many of them a second: none has a meaning. */
  readonly message: number
  readonly messagesPerSecond: number
  /** Origins besides the server's own whose pages may open a WebSocket, as in `https://shop.example`. */
  readonly origins: ReadonlyArray<string>
}

export const defaults: PushLimits = {
  heartbeat: Duration.seconds(15),
  ping: Duration.seconds(30),
  stall: Duration.seconds(30),
  close: Duration.seconds(2),
  slowClose: Duration.seconds(5),
  connections: 2000,
  message: 64 * 1024,
  messagesPerSecond: 20,
  origins: []
}

export const PushLimits = Context.Reference<PushLimits>("ordinal/http/push/PushLimits", {
  defaultValue: () => defaults
})
