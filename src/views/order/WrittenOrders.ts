/**
 * What the projection of the order view has written lately, for a cache that is filled with it; there is none unless it is provided. It
 * comes before the commit, so whoever takes it has to wait for the view to pass its positions.
 */
import { type Array as Arr, Context, Effect, Layer, Queue } from "effect"

export interface WrittenOrder {
  readonly orderId: string
  readonly version: number
  /** The position of the order's last event. */
  readonly position: bigint
  /** The id of that event. */
  readonly eventId: string
  /** The order as queries answer it; empty if that depends on more than the order. */
  readonly document: string
}

/** So many orders wait to be taken; of more, the oldest are forgotten. */
const waiting = 1_000
const together = 100

export interface WrittenOrders {
  readonly offer: (orders: ReadonlyArray<WrittenOrder>) => void
  /** Waits until there are some. */
  readonly take: Effect.Effect<Arr.NonEmptyReadonlyArray<WrittenOrder>>
}

export const WrittenOrders = Context.Reference<WrittenOrders | undefined>("ordinal/views/order/WrittenOrders", {
  defaultValue: () => undefined
})

const make = Effect.map(Queue.sliding<WrittenOrder>(waiting), (queue): WrittenOrders => ({
  offer: (orders) => void Queue.offerAllUnsafe(queue, orders),
  // The queue's type does not say that it gives at least one.
  take: Effect.map(
    Queue.takeBetween(queue, 1, together),
    (orders) => orders as unknown as Arr.NonEmptyReadonlyArray<WrittenOrder>
  )
}))

export const layer = Layer.effect(WrittenOrders, make)
