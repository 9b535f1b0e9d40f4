/** Servers whose log is in trouble: everything above it is the real thing, in memory. */
import { ada, address } from "../fixtures/Shop.ts"
import * as OrdersLocal from "../../src/orders/OrdersLocal.ts"
import { Duration, Effect, Layer } from "effect"
import * as PriceLookup from "../../src/orders/PriceLookup.ts"
import { EventStore } from "../../src/eventstore/EventStore.ts"
import { LogTail } from "../../src/eventstore/tail/LogTail.ts"
import * as MemoryEventStore from "../../src/eventstore/MemoryEventStore.ts"
import * as StreamId from "../../src/eventstore/StreamId.ts"
import * as AggregateLimits from "../../src/aggregate/AggregateLimits.ts"
import { Aggregates } from "../../src/aggregate/Aggregates.ts"
import { Commands } from "../../src/aggregate/idempotency/Commands.ts"
import { Snapshots } from "../../src/aggregate/Snapshots.ts"
import { OrderAggregate } from "../../src/order/OrderAggregate.ts"
import type { OrderEvent } from "../../src/order/OrderEvent.ts"
import { OrderId } from "../../src/order/OrderId.ts"
import { defaultPolicies, OrderPolicies } from "../../src/order/OrderPolicies.ts"
import type { HttpLimits } from "../../src/http/listener/HttpLimits.ts"
import { catalogInMemory } from "../../src/orders/OrdersLayers.ts"
import * as MemoryOrderQueries from "../../src/views/order/MemoryOrderQueries.ts"
import * as ProjectionLayers from "../../src/projection/ProjectionLayers.ts"
import * as FaultyEventStore from "../../src/testing/FaultyEventStore.ts"
import { entry, uuid } from "../../src/testing/EventStoreEntries.ts"
import { withCatalog } from "../clients/CheckedClient.ts"
import { start } from "./ApiServer.ts"

/** The faults and limits of a server in trouble; the faults begin once the catalog is in place. */
export interface Trouble {
  readonly faults?: FaultyEventStore.Faults
  /** Appends to the log what the trouble rests on. */
  readonly prepare?: (log: EventStore["Service"]) => Effect.Effect<unknown>
  readonly limits?: Partial<AggregateLimits.AggregateLimits>
  readonly policies?: Partial<OrderPolicies>
  readonly http?: Partial<HttpLimits>
}

/** Limits for commands that will not come to an end. */
const soon = { commandDeadline: Duration.seconds(1) }

/** A server without trouble until it is told to `breakIt`. */
export const startWith = async ({ faults = {}, http, limits, policies, prepare }: Trouble = {}) => {
  let breakIt = () => {}
  const faultyLog = Layer.effect(
    EventStore,
    Effect.map(MemoryEventStore.make(), (log) => {
      const { inject, store } = FaultyEventStore.make(log)
      breakIt = () => {
        inject(faults)
        if (prepare !== undefined) Effect.runSync(prepare(log))
      }
      // Where the log can't be read, nobody hears of what this process appends either.
      const { onAppended: _, ...unheard } = store
      return faults.readAll === undefined ? store : unheard
    })
  )
  const layer = Layer.mergeAll(PriceLookup.layer, MemoryOrderQueries.layer, catalogInMemory).pipe(
    Layer.provideMerge(Layer.merge(Commands.layer, ProjectionLayers.layerMemory)),
    Layer.provideMerge(Aggregates.layer),
    Layer.provideMerge(Layer.merge(LogTail.layer, Snapshots.layerMemory)),
    Layer.provideMerge(faultyLog)
  )
  const orders = Layer.fresh(OrdersLocal.layer).pipe(
    Layer.provide(Layer.fresh(layer)),
    Layer.provide(
      Layer.succeed(AggregateLimits.AggregateLimits, {
        ...AggregateLimits.defaults,
        shutdown: Duration.millis(1),
        ...limits
      })
    ),
    Layer.provide(Layer.succeed(OrderPolicies, { ...defaultPolicies, ...policies }))
  )
  const server = await withCatalog(await start({ orders, limits: { shutdown: Duration.millis(150), ...http } }))
  return { ...server, breakIt: () => breakIt() }
}

export type ProblemServer = Awaited<ReturnType<typeof startWith>>

export const unavailable: Trouble = { faults: { append: FaultyEventStore.unavailable } }
export const unknown: Trouble = { faults: { append: FaultyEventStore.answerLost } }
/** Another process is always faster. */
export const losing: Trouble = { limits: soon, faults: { append: FaultyEventStore.conflict(7) } }
/** The log never answers, so callers are answered at a command's deadline, long before the request's limit. */
export const hanging: Trouble = { limits: soon, faults: { append: FaultyEventStore.silent } }
/** There is room for two commands; the quote for an order takes as much. */
export const full: Trouble = { ...hanging, limits: { inFlight: 2 } }
/** The view does not move any more; the event at one position, of which a token is, can still be read. */
export const blind: Trouble = {
  faults: { readAll: (call, { args: [{ limit }] }) => (limit === 1 ? call : Effect.never) }
}
/** The stored events are unknown to this program, which can keep only one actor in memory. */
export const corrupt: Trouble = {
  limits: { residents: 1 },
  faults: { readStream: () => Effect.die(new Error("this log can't be decoded")) }
}

export const longOrder = OrderId.make("ord_01890000-0000-7000-8000-00000000ffff")

/** One order has all the events that an order can have. */
export const long: Trouble = {
  prepare: (log) => {
    const line = {
      lineId: "a",
      productId: "mug",
      name: "Mug",
      quantity: 2,
      unitPrice: 1250,
      unitDiscount: 0,
      taxBps: 0
    }
    const placed = {
      orderId: longOrder,
      customerId: "ada",
      customer: ada,
      currency: "EUR",
      lines: [line],
      shippingAddress: address,
      shippingCost: 0,
      request: "r"
    }
    const event = (type: OrderEvent["_tag"], data: object) => ({ eventId: uuid(), type, schemaVersion: 1, data })
    const edits = Array.from({ length: 9_999 }, (_, index) =>
      event("LineQuantityChanged", { lineId: "a", from: 1 + (index % 2), to: 2 - (index % 2) })
    )
    const stream = StreamId.make(OrderAggregate.category, longOrder)
    return Effect.orDie(log.append([entry(stream, 0, { events: [event("OrderPlaced", placed), ...edits] })], 0))
  }
}
