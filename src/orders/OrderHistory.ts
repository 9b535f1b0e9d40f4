/** The past of one order, straight from the log. */
import { Effect } from "effect"
import type { EventStore, RecordedEvent } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"
import { OrderAggregate } from "../order/OrderAggregate.ts"
import type { OrderId } from "../order/OrderId.ts"
import * as OrderEntry from "../views/order/OrderEntry.ts"

const pageSize = 500
const streamOf = (orderId: OrderId) => StreamId.make(OrderAggregate.category, orderId)

/** A page of its events; `undefined` if there is no such order. */
export const events = Effect.fnUntraced(function* (
  log: EventStore["Service"],
  orderId: OrderId,
  { after, limit }: { readonly after: number; readonly limit: number }
) {
  const page: ReadonlyArray<RecordedEvent> = yield* log.readStream(streamOf(orderId), { after, limit })
  if (page.length > 0 || (after > 0 && (yield* log.currentVersion(streamOf(orderId))) > 0)) return page
  return undefined
})

/** The fold of its first `version` events, or of all if there are fewer; `undefined` if there is no such order. */
export const entryAt = Effect.fnUntraced(function* (log: EventStore["Service"], orderId: OrderId, version: number) {
  let entry: OrderEntry.OrderEntry | undefined
  let read = 0
  while (read < version) {
    const limit = Math.min(pageSize, version - read)
    const page = yield* log.readStream(streamOf(orderId), { after: read, limit })
    for (const event of page) entry = OrderEntry.evolve(entry, event)
    read += page.length
    if (page.length < limit) break
  }
  return entry
})
