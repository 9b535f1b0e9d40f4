/** Counts the open event streams, bounds their number, and ends them before the server ends. */
import type { Server } from "node:http"
import { Context, Deferred, Effect, Layer, type Scope } from "effect"
import { Overloaded } from "../../eventstore/EventStoreErrors.ts"
import { Draining } from "../../aggregate/CommandErrors.ts"
import { PushLimits } from "./PushLimits.ts"

export const transports = ["sse", "websocket"] as const
export type Transport = (typeof transports)[number]

export class OpenStreams extends Context.Service<
  OpenStreams,
  {
    /** Counts one more stream until the scope closes. */
    open(transport: Transport): Effect.Effect<void, Overloaded | Draining, Scope.Scope>
    /** Completes when streams have to end. */
    readonly drained: Effect.Effect<void>
    /** Makes `drained` complete, and refuses new streams. */
    readonly drain: () => void
    readonly count: (transport: Transport) => number
  }
>()("ordinal/http/push/OpenStreams") {
  static readonly layer: Layer.Layer<OpenStreams> = Layer.effect(
    OpenStreams,
    Effect.map(PushLimits, ({ connections }) => make(connections))
  )
}

export const make = (limit: number): OpenStreams["Service"] => {
  const drained = Deferred.makeUnsafe<void>()
  let isDraining = false
  const open = { sse: 0, websocket: 0 }
  const enter = Effect.fnUntraced(function* (transport: Transport) {
    if (isDraining) return yield* new Draining({ retryAfter: 1 })
    if (open.sse + open.websocket >= limit) {
      return yield* new Overloaded({ what: "the list of open event streams", retryAfter: 5 })
    }
    open[transport] += 1
  })
  return {
    open: (transport) => Effect.acquireRelease(enter(transport), () => Effect.sync(() => (open[transport] -= 1))),
    drained: Deferred.await(drained),
    drain: () => {
      isDraining = true
      Deferred.doneUnsafe(drained, Effect.void)
    },
    count: (transport) => open[transport]
  }
}

/** Ends the streams when the server begins to close; they would keep it from ending for as long as it allows. */
export const endBefore = (server: Server, streams: OpenStreams["Service"]): Server => {
  const close = server.close.bind(server)
  server.close = (callback) => {
    streams.drain()
    return close(callback)
  }
  return server
}
