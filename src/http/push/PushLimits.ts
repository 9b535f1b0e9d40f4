/** Sets how event streams are kept alive, and what one may cost. `OrderFeed` has those of a batch. */
import { Context, Duration } from "effect"

export interface PushLimits {
  /** A `heartbeat` message is sent this often. */
  readonly heartbeat: Duration.Duration
  /** A WebSocket is pinged this often; a ping that is not answered before the next one ends the connection. */
  readonly ping: Duration.Duration
  /** A client that does not take a batch (at most 128 events, 64 KiB) within this time is too slow. */
  readonly stall: Duration.Duration
  /** A client gets this time to answer that it was told to go. */
  readonly close: Duration.Duration
  /** A client that is too slow gets this time to take the rest of its batch, and then where to continue. */
  readonly slowClose: Duration.Duration
  /** So many event streams may be open at the same time, SSE and WebSocket together. */
  readonly connections: number
  /** So many of them may be one customer's. */
  readonly connectionsOfCustomer: number
  /** A WebSocket client's message may have so many bytes; none has a meaning. */
  readonly message: number
  /** A WebSocket client may send so many messages in a second. */
  readonly messagesPerSecond: number
}

export const defaults: PushLimits = {
  heartbeat: Duration.seconds(15),
  ping: Duration.seconds(30),
  stall: Duration.seconds(30),
  close: Duration.seconds(2),
  slowClose: Duration.seconds(5),
  connections: 2000,
  connectionsOfCustomer: 20,
  message: 64 * 1024,
  messagesPerSecond: 20
}

export const PushLimits = Context.Reference<PushLimits>("ordinal/http/push/PushLimits", {
  defaultValue: () => defaults
})
