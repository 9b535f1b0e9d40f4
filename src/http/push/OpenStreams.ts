/** Counts the open event streams, bounds their number, and ends them before the server ends. */
import type { Server } from "node:http"
import { Context, Deferred, Effect, Layer, type Scope } from "effect"
import { Overloaded } from "../../eventstore/EventStoreErrors.ts"
import { Draining } from "../../aggregate/CommandErrors.ts"
import type { CustomerId } from "../../order/OrderId.ts"
import { RateLimited } from "../problems/HttpError.ts"
import { PushLimits } from "./PushLimits.ts"

export const transports = ["sse", "websocket"] as const
export type Transport = (typeof transports)[number]

export class OpenStreams extends Context.Service<
  OpenStreams,
  {
    /** Counts one more stream until the scope closes; customers may have so many of their own. */
    open(
      transport: Transport,
      customer?: CustomerId
    ): Effect.Effect<void, Overloaded | Draining | RateLimited, Scope.Scope>
    /** Completes when streams have to end. */
    readonly drained: Effect.Effect<void>
    /** Makes `drained` complete, and refuses new streams. */
    readonly drain: () => void
    readonly count: (transport: Transport) => number
  }
>()("ordinal/http/push/OpenStreams") {
  static readonly layer: Layer.Layer<OpenStreams> = Layer.effect(
    OpenStreams,
    Effect.map(PushLimits, (limits) => make(limits))
  )
}

export const make = ({
  connections,
  connectionsOfCustomer
}: Pick<PushLimits, "connections" | "connectionsOfCustomer">): OpenStreams["Service"] => {
  const drained = Deferred.makeUnsafe<void>()
  let isDraining = false
  const open = { sse: 0, websocket: 0 }
  const ofCustomers = new Map<CustomerId, number>()
  const enter = Effect.fnUntraced(function* (transport: Transport, customer: CustomerId | undefined) {
    if (isDraining) return yield* new Draining({ retryAfter: 1 })
    if (open.sse + open.websocket >= connections) {
      return yield* new Overloaded({ what: "the list of open event streams", retryAfter: 5 })
    }
    if (customer !== undefined) {
      const own = ofCustomers.get(customer) ?? 0
      if (own >= connectionsOfCustomer) return yield* new RateLimited({ limit: "streams", retryAfter: 5 })
      ofCustomers.set(customer, own + 1)
    }
    open[transport] += 1
  })
  const leave = (transport: Transport, customer: CustomerId | undefined) => {
    open[transport] -= 1
    if (customer === undefined) return
    const own = ofCustomers.get(customer)! - 1
    if (own === 0) ofCustomers.delete(customer)
    else ofCustomers.set(customer, own)
  }
  return {
    open: (transport, customer) =>
      Effect.acquireRelease(enter(transport, customer), () => Effect.sync(() => leave(transport, customer))),
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
