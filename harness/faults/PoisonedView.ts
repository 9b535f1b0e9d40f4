/** An order view, or another one, whose handler fails for some events, until it is told not to. */
import { Effect } from "effect"
import type { RecordedEvent } from "../../src/eventstore/EventStore.ts"
import type { Projection } from "../../src/projection/Projection.ts"
import { OrderViewProjection } from "../../src/views/order/OrderViewProjection.ts"

export const poisoned = (isPoison: (event: RecordedEvent) => boolean, view: Projection = OrderViewProjection) => {
  const state = { isFixed: false, failures: 0, applied: [] as Array<RecordedEvent> }
  const projection: Projection = {
    ...view,
    handle: (sql, events, slot) =>
      Effect.suspend(() => {
        if (!state.isFixed && events.some(isPoison)) {
          state.failures++
          throw new Error("this event is poison")
        }
        state.applied.push(...events)
        return view.handle(sql, events, slot)
      })
  }
  return { state, projection }
}
