/** The event streams that are open: how many there may be, and that they end before the server does. */
import type { Server } from "node:http"
import { Context, Deferred, Effect, type Scope } from "effect"
import { Overloaded } from "../eventlog/Unavailable.ts"
import { Draining } from "../eventsourcing/SendError.ts"

export class OpenStreams extends Context.Service<
  OpenStreams,
  {
    /** Counts one more until the scope closes. */
    readonly open: Effect.Effect<void, Overloaded | Draining, Scope.Scope>
    /** Done when streams have to end. */
    readonly drained: Effect.Effect<void>
    readonly drain: () => void
    readonly count: () => number
  }
>()("ordinal/http/OpenStreams") {}

export const make = (limit: number): OpenStreams["Service"] => {
  const drained = Deferred.makeUnsafe<void>()
  let isDraining = false
  let count = 0
  const enter = Effect.suspend((): Effect.Effect<void, Overloaded | Draining> => {
    if (isDraining) return Effect.fail(new Draining({ retryAfter: 1 }))
    if (count >= limit) return Effect.fail(new Overloaded({ what: "the list of open event streams", retryAfter: 5 }))
    count += 1
    return Effect.void
  })
  return {
    open: Effect.acquireRelease(enter, () => Effect.sync(() => (count -= 1))),
    drained: Deferred.await(drained),
    drain: () => {
      isDraining = true
      Deferred.doneUnsafe(drained, Effect.void)
    },
    count: () => count
  }
}

/** Streams would keep the server from ending for as long as it allows, so they are told first. */
export const endsFirst = (server: Server, streams: OpenStreams["Service"]): Server => {
  const close = server.close.bind(server)
  server.close = (callback) => {
    streams.drain()
    return close(callback)
  }
  return server
}
