/** The limits of event streams: how they are kept alive and what one may cost. `OrderFeed` has those of a batch. */
import { Context, Duration } from "effect"

export interface PushLimits {
  /** The time between two `heartbeat` messages. */
  readonly heartbeat: Duration.Duration
  /** The time between two WebSocket pings; a ping that is not answered before the next one ends the connection. */
  readonly ping: Duration.Duration
  /** A client that does not take a batch (at most 128 events, 64 KiB) within this time is too slow. */
  readonly stall: Duration.Duration
  /** A client gets this time to answer that it was told to go. */
  readonly close: Duration.Duration
  /** A client that is too slow gets this time to take the rest of its batch, and then where to continue. */
  readonly slowClose: Duration.Duration
  /** The number of streams that are open at the same time, SSE and WebSocket together. */
  readonly connections: number
  /** The size of a WebSocket client's message in bytes; none has a meaning. */
  readonly message: number
  /** The number of messages that a WebSocket client may send in a second. */
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
