/**
 * Defines the content of the order view for one order, and the fold that makes it. The SQL projection, the memory
 * queries, audits and past versions all use this one definition.
 */
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import { OrderAggregate } from "../../order/OrderAggregate.ts"
import type { Order, OrderState } from "../../order/OrderState.ts"

export interface OrderEntry {
  readonly order: Order
  /** This is the `recordedAt` of the order's last event. */
  readonly updatedAt: string
  /** This is the position of the order's last event. */
  readonly position: bigint
}

const { codec, decider } = OrderAggregate

/** Applies the order's next event; throws, as on a defect, if the event is another one. */
export const evolve = (entry: OrderEntry | undefined, recorded: RecordedEvent): OrderEntry => {
  const { position, recordedAt: updatedAt, streamId, version } = recorded
  const state: OrderState = entry?.order ?? decider.initialState
  const expected = (entry?.order.version ?? 0) + 1
  if (version !== expected) throw new Error(`The view of ${streamId} expects version ${expected}, not ${version}.`)
  const order = decider.evolve(state, codec.decode(recorded), updatedAt)
  if (order._tag === "Absent") throw new Error(`${streamId} is absent after its version ${version}.`)
  return { order, updatedAt, position }
}
