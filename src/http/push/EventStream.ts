/**
 * Pushes as server-sent events. The framework writes no more before the client's connection has taken what there is, and
 * nothing is read ahead; a client that takes nothing for too long is hung up on, and goes on after the last id it got.
 */
import * as NodeHttpServerRequest from "@effect/platform-node/NodeHttpServerRequest"
import { Array as Arr, Cause, Clock, Duration, Effect, Stream } from "effect"
import { HttpServerResponse, type HttpServerRequest } from "effect/http"
import type { SubscribeError } from "../../orders/OrdersError.ts"
import { positionOf, type Push } from "../../orders/Subscription.ts"
import * as YieldToIo from "../../database/YieldToIo.ts"
import { OpenStreams } from "./OpenStreams.ts"
import { PushLimits } from "./PushLimits.ts"
import * as PushMessage from "../wire/PushMessage.ts"

const encoder = new TextEncoder()
const encode = (text: string): readonly [Uint8Array] => [encoder.encode(text)]

/**
 * Sent at once, so that the client sees the answer begin: how long a browser waits before it connects again, in
 * milliseconds, not the same for all that lose one server.
 */
const opening = () => encode(`retry: ${1000 + Math.floor(Math.random() * 2000)}\n\n`)

const headers = { "cache-control": "no-cache", "x-accel-buffering": "no" }

export const respond = Effect.fnUntraced(function* (
  request: HttpServerRequest.HttpServerRequest,
  pushes: Stream.Stream<Push, SubscribeError>
) {
  const { stall } = yield* PushLimits
  const { drained } = yield* OpenStreams
  const { socket } = NodeHttpServerRequest.toIncomingMessage(request)
  const pull = yield* Stream.toPull(pushes)
  let position: bigint | undefined
  let hasOpened = false
  let isEnding = false
  /** When the last batch was handed over, while the next has not been asked for. */
  let handedOver: number | undefined

  const watch = Effect.gen(function* () {
    while (true) {
      yield* Effect.sleep(Duration.divideUnsafe(stall, 4))
      const now = yield* Clock.currentTimeMillis
      const since = handedOver
      if (since === undefined || now - since < Duration.toMillis(stall)) continue
      yield* YieldToIo.yieldToIo
      if (handedOver !== since) continue
      yield* Effect.logInfo("an event stream was cut off: its client does not read", { position })
      socket.destroy()
      return
    }
  })
  yield* Effect.forkScoped(watch)

  /** Where to go on, for a filtered client whose last id may be long ago. */
  const farewell = Effect.suspend(() => {
    isEnding = true
    return position === undefined ? Cause.done() : Effect.succeed(Arr.of<Push>({ _tag: "Heartbeat", position }))
  })

  const messages = Effect.raceFirst(pull, Effect.andThen(drained, farewell)).pipe(
    Effect.map((batch) => {
      // Not before it has won: what lost against the end is not sent, so nobody may be told to go on after it.
      position = positionOf(batch[batch.length - 1]!)
      return encode(batch.map(PushMessage.toSse).join(""))
    })
  )

  const next = Effect.suspend(() => {
    handedOver = undefined
    if (isEnding) return Cause.done()
    if (hasOpened) return messages
    hasOpened = true
    return Effect.succeed(opening())
  }).pipe(
    Effect.tap(() => Effect.map(Clock.currentTimeMillis, (now) => (handedOver = now))),
    Effect.catchIf(
      (error): error is SubscribeError => !Cause.isDone(error),
      (error) => Effect.andThen(Effect.logWarning("an event stream ended early", error), Cause.done())
    )
  )

  return HttpServerResponse.stream(Stream.fromPull(Effect.succeed(next)), { contentType: "text/event-stream", headers })
})
