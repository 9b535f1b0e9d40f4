/**
 * Sends pushes as server-sent events (WHATWG HTML, 9.2). Nothing is read ahead: the framework asks for a batch only
 * after the connection has taken the last one. A client that takes nothing for `stall` is hung up on, and continues
 * after the last id that it got.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Array as Arr, Cause, Deferred, Duration, Effect, Random, Stream } from "effect"
import { Sse } from "effect/encoding"
import { HttpServerResponse, type HttpServerRequest } from "effect/http"
import type { SubscribeError } from "../../orders/OrdersError.ts"
import { positionOf, type Push } from "../../orders/Subscription.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import * as YieldToIo from "../../database/YieldToIo.ts"
import { Caller } from "../handlers/Caller.ts"
import { OpenStreams } from "./OpenStreams.ts"
import { PushLimits } from "./PushLimits.ts"
import * as PushMessage from "../wire/PushMessage.ts"
import * as PushSpan from "./PushSpan.ts"

const encoder = new TextEncoder()
const encode = (text: string): readonly [Uint8Array] => [encoder.encode(text)]

/**
 * Goes out at once, with the first push, a heartbeat that tells where the stream begins. It says how long a browser waits
 * before it connects again, which differs between clients, so that they do not all come back at once when a server is
 * lost.
 */
const opening = Effect.map(Random.nextIntBetween(1000, 3000), (millis) =>
  Sse.encoder.write(new Sse.Retry({ duration: Duration.millis(millis), lastEventId: undefined }))
)

const headers = { "cache-control": "no-cache", "x-accel-buffering": "no" }

export const respond = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  pushes: Stream.Stream<Push, SubscribeError>
) {
  const { stall } = yield* PushLimits
  const { drained } = yield* OpenStreams
  const { ended = Effect.never } = yield* Caller
  const over = yield* Deferred.make<void>()
  const { socket } = NodeHttpServerRequest.toIncomingMessage(request)
  const pull = yield* Stream.toPull(pushes)
  let last: { readonly position: bigint; readonly token: string } | undefined
  let hasOpened = false
  let isEnding = false
  /** A batch was handed over at this time, and the next one has not been asked for. */
  let handedOverAt: number | undefined

  const hangUpOnStall = Effect.gen(function* () {
    while (true) {
      yield* Effect.sleep(Duration.divideUnsafe(stall, 4))
      const now = yield* MonotonicClock.millis
      const since = handedOverAt
      if (since === undefined || now - since < Duration.toMillis(stall)) continue
      yield* YieldToIo.yieldToIo
      if (handedOverAt !== since) continue
      yield* Effect.logInfo("An event stream was cut off because its client does not read.", {
        position: last?.token
      })
      socket.destroy()
      return
    }
  })
  yield* Effect.forkScoped(hangUpOnStall)
  yield* Effect.forkScoped(Deferred.complete(over, Effect.raceFirst(drained, ended)))

  /** Tells where to continue, to a client with filters whose last event may be long ago. */
  const lastHeartbeat = Effect.suspend(() => {
    isEnding = true
    return last === undefined ? Cause.done() : Effect.succeed(Arr.of<Push>({ _tag: "Heartbeat", ...last }))
  })

  // The end comes first: a pull that never has to wait would win every time.
  const messages = Effect.raceFirst(Effect.andThen(Deferred.await(over), lastHeartbeat), pull).pipe(
    Effect.flatMap((batch) => {
      // A batch that lost the race against the end is not sent, so nobody may be told to continue after it.
      const push = batch[batch.length - 1]!
      last = { position: positionOf(push), token: push.token }
      return PushSpan.within("EventStream.push", batch)(Effect.sync(() => batch.map(PushMessage.toSse).join("")))
    })
  )

  const next = Effect.suspend(() => {
    handedOverAt = undefined
    if (isEnding) return Cause.done()
    if (hasOpened) return messages
    hasOpened = true
    return Effect.zipWith(opening, messages, (retry, first) => retry + first)
  }).pipe(
    Effect.map(encode),
    Effect.tap(() => Effect.map(MonotonicClock.millis, (now) => (handedOverAt = now))),
    Effect.catchIf(
      (error): error is SubscribeError => !Cause.isDone(error),
      // The cause has its own line in the log, which need not come again for each of a thousand streams.
      (error) => Effect.andThen(Effect.logDebug("An event stream ended early.", error), Cause.done())
    )
  )

  return HttpServerResponse.stream(Stream.fromPull(Effect.succeed(next)), { contentType: "text/event-stream", headers })
})
