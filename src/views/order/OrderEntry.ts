/**
 * What the order view keeps of one order, and the fold that makes it. The one definition of the view's content: the SQL
 * projection and the memory queries both use it.
 */
import type { RecordedEvent } from "../../eventstore/EventStore.ts"
import { OrderAggregate } from "../../order/OrderAggregate.ts"
import type { Order, OrderState } from "../../order/OrderState.ts"

export interface OrderEntry {
  readonly order: Order
  /** `recordedAt` of its last event. */
  readonly updatedAt: string
  /** Of its last event. */
  readonly position: bigint
}

const { codec, decider } = OrderAggregate

/** Throws, as on a defect, if the event is not the order's next one. */
export const evolve = (entry: OrderEntry | undefined, recorded: RecordedEvent): OrderEntry => {
  const { position, recordedAt: updatedAt, streamId, version } = recorded
  const state: OrderState = entry?.order ?? decider.initialState
  const expected = (entry?.order.version ?? 0) + 1
  if (version !== expected) throw new Error(`the view of ${streamId} expects version ${expected}, not ${version}`)
  const order = decider.evolve(state, codec.decode(recorded), updatedAt)
  if (order._tag === "Absent") throw new Error(`${streamId} is absent after its version ${version}`)
  return { order, updatedAt, position }
}
