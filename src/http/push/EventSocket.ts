/**
 * Sends pushes over a WebSocket (RFC 6455). The framework's `write` does not wait, so after each batch this waits until
 * the connection has taken it; a client that does not take it within `stall` is closed with 4008. The framework can't
 * ping either, so this writes the two bytes of a ping between whole frames: nothing is compressed, so every frame is
 * written in one step. Any byte that comes back proves that the client is alive.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Duration, Effect, Stream } from "effect"
import type { HttpServerRequest } from "effect/http"
import { Socket } from "effect/socket"
import type { Socket as Connection } from "node:net"
import type { SubscribeError } from "../../orders/OrdersError.ts"
import type { Push } from "../../orders/Subscription.ts"
import * as YieldToIo from "../../database/YieldToIo.ts"
import { Caller } from "../handlers/Caller.ts"
import { OpenStreams } from "./OpenStreams.ts"
import { PushLimits } from "./PushLimits.ts"
import * as PushMessage from "../wire/PushMessage.ts"
import * as PushSpan from "./PushSpan.ts"

export const subprotocol = "cloudevents.json"

const ping = Buffer.of(0x89, 0)

/** No timer can be set to more milliseconds. */
const longestTimer = 2 ** 31 - 1

/** The server ends a connection with this close code and reason. */
interface End {
  readonly code: number
  readonly reason: string
}

const slow: End = { code: 4008, reason: "slow consumer" }
const draining: End = { code: 1001, reason: "draining" }
const expired: End = { code: 1008, reason: "the token has expired, or the key is revoked" }
const failing: End = { code: 1013, reason: "try again later" }
const talkative: End = { code: 1008, reason: "too many messages" }
const overloaded: End = { code: 1013, reason: "too many event streams; try again later" }

const drain = (connection: Connection) =>
  Effect.callback<void>((resume) => {
    if (!connection.writableNeedDrain) return resume(Effect.void)
    const done = () => resume(Effect.void)
    connection.once("drain", done)
    return Effect.sync(() => connection.off("drain", done))
  })

/** Ends when the client does not answer a ping before the next one. */
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

/** Reads and forgets what the client sends, since none of it has a meaning; ends when the client sends too much. */
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

/** The HTTP server makes WebSockets with these options. */
export const options = ({ close, message, slowClose }: PushLimits) => ({
  maxPayload: message,
  perMessageDeflate: false,
  // The default of 30 s would cut off clients that are given longer.
  closeTimeout: Math.min(Duration.toMillis(Duration.max(close, slowClose)), longestTimer),
  handleProtocols: (offered: ReadonlySet<string>): string | false => (offered.has(subprotocol) ? subprotocol : false)
})

/** Takes the connection over and returns when it has ended. */
export const serve = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  pushes: Stream.Stream<Push, SubscribeError>
) {
  const limits = yield* PushLimits
  const { drained } = yield* OpenStreams
  const { ended = Effect.never } = yield* Caller
  const connection = NodeHttpServerRequest.toIncomingMessage(request).socket
  const socket = yield* request.upgrade
  const { write, writeAll } = yield* socket.writer
  const reader = yield* socket.reader
  const isSlow = Effect.suspend(() => (connection.writableNeedDrain ? Effect.fail(slow) : Effect.void))
  const stalled = { duration: limits.stall, orElse: () => Effect.andThen(YieldToIo.yieldToIo, isSlow) }
  let position: string | undefined

  const send = Stream.runForEachArray(pushes, (batch) =>
    Effect.gen(function* () {
      const [first, ...rest] = batch
      // The whole batch goes to the operating system in one write.
      connection.cork()
      yield* Effect.ensuring(
        writeAll([PushMessage.toText(first), ...rest.map(PushMessage.toText)]),
        Effect.sync(() => connection.uncork())
      )
      position = batch[batch.length - 1]!.token
      if (connection.writableNeedDrain) yield* Effect.timeoutOrElse(drain(connection), stalled)
    }).pipe(PushSpan.within("EventSocket.push", batch))
  ).pipe(
    Effect.as(failing),
    Effect.catch((error) =>
      "code" in error
        ? Effect.succeed(error)
        : Effect.as(Effect.logDebug("An event stream ended early.", error), failing)
    )
  )

  /** Gives the client time to take what was sent before and to answer the close. */
  const close = (end: End) =>
    Effect.gen(function* () {
      const { code, reason } = end
      const where = position === undefined ? "" : `; resume after ${position}`
      yield* write(new Socket.CloseEvent(code, `${reason}${where}`))
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
  const over = [Effect.as(drained, draining), Effect.as(ended, expired)]
  const end: End | undefined = yield* Effect.raceAllFirst([send, gone, dead, ...over])
  if (end === slow) yield* Effect.logInfo("An event stream was cut off because its client does not read.", { position })
  if (end !== undefined) yield* Effect.ignore(close(end))
}, Effect.scoped)

/** Opens a WebSocket and closes it again, since browsers can't see why a WebSocket was not opened. */
export const turnAway = Effect.fnUntraced(function* (request: HttpServerRequest.HttpServerRequest) {
  const { close } = yield* PushLimits
  const socket = yield* request.upgrade
  const { write } = yield* socket.writer
  const reader = yield* socket.reader
  yield* write(new Socket.CloseEvent(overloaded.code, overloaded.reason))
  yield* Effect.ignore(Effect.forever(reader.pull)).pipe(Effect.timeoutOption(close))
  NodeHttpServerRequest.toIncomingMessage(request).socket.destroy()
}, Effect.scoped)
