/**
 * Pushes over a WebSocket.
 *
 * The framework's `write` does not wait, so after each batch this waits for the connection below to have taken it; a
 * client that does not within `stall` is closed with 4008. It can't send pings either: a ping without payload is two
 * bytes, which go in between whole frames (nothing is compressed, so a frame is written in one step). Any byte that
 * comes back proves that the client is alive.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Duration, Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { Socket } from "effect/socket"
import type { Socket as Connection } from "node:net"
import type { SubscribeError } from "../../orders/OrdersError.ts"
import { positionOf, type Push } from "../../orders/Subscription.ts"
import * as YieldToIo from "../../database/YieldToIo.ts"
import { OpenStreams } from "./OpenStreams.ts"
import { PushLimits } from "./PushLimits.ts"
import * as PushMessage from "../wire/PushMessage.ts"

export const subprotocol = "cloudevents.json"

const ping = Buffer.of(0x89, 0)

/** Milliseconds that a timer can be set to. */
const longestTimer = 2 ** 31 - 1

/** Why the server ends it: a close code, and a word. */
interface End {
  readonly code: number
  readonly why: string
}

const slow: End = { code: 4008, why: "slow consumer" }
const draining: End = { code: 1001, why: "draining" }
const failing: End = { code: 1013, why: "try again later" }
const talkative: End = { code: 1008, why: "too many messages" }
const overloaded: End = { code: 1013, why: "too many event streams; try again later" }

const drain = (connection: Connection) =>
  Effect.callback<void>((resume) => {
    if (!connection.writableNeedDrain) return resume(Effect.void)
    const done = () => resume(Effect.void)
    connection.once("drain", done)
    return Effect.sync(() => connection.off("drain", done))
  })

/** Ends when the client does not answer. */
const keepAlive = Effect.fnUntraced(function* (connection: Connection, interval: Duration.Duration) {
  yield* Effect.sleep(interval)
  while (true) {
    const received = connection.bytesRead
    connection.write(ping)
    yield* Effect.sleep(interval)
    yield* YieldToIo.yieldToIo
    if (connection.bytesRead === received) return
  }
})

/** Nothing that a client says has a meaning. Ends when it says too much of it. */
const listen = Effect.fnUntraced(function* (pull: Socket.Reader["pull"], perSecond: number) {
  let second = 0
  let count = 0
  while (true) {
    const { length } = yield* pull
    const now = Math.floor(performance.now() / 1000)
    count = now === second ? count + length : length
    second = now
    if (count > perSecond) return talkative
  }
})

/** For the server that makes the connections. */
export const options = ({ close, message, slowClose }: PushLimits) => ({
  maxPayload: message,
  perMessageDeflate: false,
  // Its own, of 30 s, would cut short those who are given longer.
  closeTimeout: Math.min(Duration.toMillis(Duration.max(close, slowClose)), longestTimer),
  handleProtocols: (offered: ReadonlySet<string>): string | false => (offered.has(subprotocol) ? subprotocol : false)
})

/** Takes the connection over until it ends. */
export const serve = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  pushes: Stream.Stream<Push, SubscribeError>
) {
  const limits = yield* PushLimits
  const { drained } = yield* OpenStreams
  const connection = NodeHttpServerRequest.toIncomingMessage(request).socket
  const socket = yield* request.upgrade
  const { write, writeAll } = yield* socket.writer
  const reader = yield* socket.reader
  const isSlow = Effect.suspend(() => (connection.writableNeedDrain ? Effect.fail(slow) : Effect.void))
  const stalled = { duration: limits.stall, orElse: () => Effect.andThen(YieldToIo.yieldToIo, isSlow) }
  let position: bigint | undefined

  const send = Stream.runForEachArray(pushes, (batch) =>
    Effect.gen(function* () {
      const [first, ...rest] = batch
      // One write to the operating system for all of them.
      connection.cork()
      yield* Effect.ensuring(
        writeAll([PushMessage.toText(first), ...rest.map(PushMessage.toText)]),
        Effect.sync(() => connection.uncork())
      )
      position = positionOf(batch[batch.length - 1]!)
      if (connection.writableNeedDrain) yield* Effect.timeoutOrElse(drain(connection), stalled)
    })
  ).pipe(
    Effect.as(failing),
    Effect.catch((error) => ("code" in error ? Effect.succeed(error) : Effect.as(Effect.logWarning(error), failing)))
  )

  /** The client has until then to answer the close, and to take what was sent before it. */
  const close = (end: End) =>
    Effect.gen(function* () {
      const { code, why } = end
      const where = position === undefined ? "" : `; resume after ${position}`
      yield* write(new Socket.CloseEvent(code, `${why}${where}`))
      yield* Effect.ignore(Effect.forever(reader.pull)).pipe(
        Effect.timeoutOption(end === slow ? limits.slowClose : limits.close)
      )
      connection.destroy()
    })

  const dead = Effect.map(keepAlive(connection, limits.ping), () => {
    connection.destroy()
    return undefined
  })
  const gone = Effect.catchTag(listen(reader.pull, limits.messagesPerSecond), "SocketError", () =>
    Effect.succeed(undefined)
  )
  const end: End | undefined = yield* Effect.raceAllFirst([send, gone, dead, Effect.as(drained, draining)])
  if (end === slow) yield* Effect.logInfo("an event stream was cut off: its client does not read", { position })
  if (end !== undefined) yield* Effect.ignore(close(end))
}, Effect.scoped)

/** Browsers can't see why a WebSocket was not opened, so it is opened, and closed again. */
export const turnAway = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  const { close } = yield* PushLimits
  const socket = yield* request.upgrade
  const { write } = yield* socket.writer
  const reader = yield* socket.reader
  yield* write(new Socket.CloseEvent(overloaded.code, overloaded.why))
  yield* Effect.ignore(Effect.forever(reader.pull)).pipe(Effect.timeoutOption(close))
  NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()
}, Effect.scoped)
