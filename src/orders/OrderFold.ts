/**
 * Reads orders straight from the log, by folding their events: past versions, and the present of an order that the view
 * does not have yet. A later answer about an order is never older than one that was folded here.
 *
 * At most `foldsAtOnce` folds run at the same time, each with one page of events in memory.
 */
import { Effect, Semaphore } from "effect"
import { EventStore, type RecordedEvent } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import { OrderAggregate } from "../order/OrderAggregate.ts"
import type { OrderId } from "../order/OrderId.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import * as OrderEntry from "../views/order/OrderEntry.ts"
import type { Freshness } from "../projection/view/ViewQuery.ts"

const foldsAtOnce = 8

const pageSize = 100

/** So many orders that were answered ahead of the view are remembered one by one. */
const maxAnswered = 10_000

/**
 * Remembers which version of an order was answered while the view did not have it yet, until the view has it. Orders
 * that are too many to remember count as answered ahead for as long as the view is not past the last of them.
 */
export const makeAnswered = (most = maxAnswered) => {
  const answered = new Map<string, { readonly version: number; readonly position: bigint }>()
  let forgotten = 0n

  return {
    note: (orderId: string, { order: { version }, position }: OrderEntry.OrderEntry) => {
      if ((answered.get(orderId)?.version ?? 0) >= version) return
      answered.delete(orderId)
      answered.set(orderId, { version, position })
      const [oldest] = answered
      if (answered.size <= most || oldest === undefined) return
      if (oldest[1].position > forgotten) forgotten = oldest[1].position
      answered.delete(oldest[0])
    },
    /**
     * Tells whether the view may lack what was answered about the order, which it has at this version. A view that has
     * set streams aside may be past an event without having it, so an answer from the cache says nothing of other orders.
     */
    isAhead: (
      orderId: string,
      version: number,
      view: Pick<Freshness, "parked" | "position">,
      isCached = false
    ): boolean => {
      for (const [orderId, { position }] of view.parked === 0 && !isCached ? answered : []) {
        if (position > view.position) break
        answered.delete(orderId)
      }
      return (answered.get(orderId)?.version ?? 0) > version || forgotten > view.position
    }
  }
}

export const streamOf = (orderId: OrderId) => StreamId.make(OrderAggregate.category, orderId)

export const make = Effect.gen(function* () {
  const log = yield* EventStore
  const permits = yield* Semaphore.make(foldsAtOnce)
  const answered = makeAnswered()

  /** An event that can't be folded holds the order back here as it does in the view, until an operator has acted. */
  const evolve = (entry: OrderEntry.OrderEntry | undefined, event: RecordedEvent) =>
    Effect.try({ try: () => OrderEntry.evolve(entry, event), catch: (cause) => cause }).pipe(
      Effect.tapError((cause) =>
        Effect.logError(`${event.streamId} can't be read beyond its version ${event.version - 1}.`, cause)
      ),
      Effect.mapError(() => ConsistencyToken.ProjectionBehind.parked(event.position, event.position))
    )

  /**
   * Folds the order's first `version` events, or all if there are fewer; undefined if there is no such order. `eventId` is
   * of the last one.
   */
  const at = Effect.fnUntraced(function* (orderId: OrderId, version: number) {
    let entry: OrderEntry.OrderEntry | undefined
    let eventId: string | undefined
    let read = 0
    while (read < version) {
      const limit = Math.min(pageSize, version - read)
      const { events, hasMore } = yield* log.readStream(streamOf(orderId), { after: read, limit })
      for (const event of events) {
        entry = yield* evolve(entry, event)
        eventId = event.eventId
      }
      read += events.length
      if (!hasMore) break
    }
    return entry && { ...entry, eventId }
  }, permits.withPermits(1))

  return {
    at,
    /** Folds the newest state of the order; undefined if there is no such order. */
    newest: (orderId: OrderId) =>
      Effect.tap(at(orderId, Infinity), (entry) =>
        Effect.sync(() => {
          if (entry !== undefined) answered.note(orderId, entry)
        })
      ),
    isAhead: answered.isAhead
  }
})
