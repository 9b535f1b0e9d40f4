/**
 * Keeps the order view in MongoDB, by the same fold as `OrderViewProjection`. The runner's transaction moves the checkpoint
 * in the database of the log, and holds its lock while documents are written here, so the checkpoint never says more than
 * they have: if the transaction is lost, they are ahead, and get the same events again.
 */
import { Array as Arr, Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import type { Projection, Slot } from "../projection/Projection.ts"
import * as ViewProjection from "../projection/view/ViewProjection.ts"
import { OrderViewProjection } from "../views/order/OrderViewProjection.ts"
import type { OrderCollections } from "./OrderCollections.ts"
import type { Place } from "./OrderDocument.ts"
import { viewIn } from "./OrderDocuments.ts"

/** It has a checkpoint of its own, so that each place goes on from where it is if both have a view. */
export const key = { name: "order-view-mongodb", version: OrderViewProjection.version } as const

/** So many orders are written together. */
const atOnce = 200

const { categories, partition } = OrderViewProjection

export const make = ({ elsewhere, place, placeOfBatch, tables }: OrderCollections): Projection => {
  const viewOf = (place: Place) => ViewProjection.make(viewIn(place))
  const within = <A>(
    sql: SqlClient.SqlClient,
    slot: Slot,
    use: (view: ReturnType<typeof viewOf>) => Effect.Effect<A, SqlError.SqlError>,
    find = place
  ) => Effect.flatMap(find(sql, slot), (place) => use(viewOf(place)))

  return {
    ...key,
    partition,
    categories,
    tables,
    elsewhere,
    handle: (sql, events, slot) =>
      within(
        sql,
        slot,
        ({ apply }) => apply(sql, slot, events, (orders) => Effect.succeed(Arr.chunksOf(orders, atOnce))),
        placeOfBatch
      ),
    skip: (sql, event, slot) => within(sql, slot, ({ skip }) => skip?.(sql, event, slot) ?? Effect.void, placeOfBatch),
    audit: {
      contents: OrderViewProjection.audit!.contents,
      row: (sql, streamId, slot) => within(sql, slot, ({ audit }) => audit.row(sql, streamId, slot)),
      streams: (sql, slot, after, limit) => within(sql, slot, ({ audit }) => audit.streams(sql, slot, after, limit)),
      write: (sql, events, over) => within(sql, "live", ({ audit }) => audit.write(sql, events, over)),
      remove: (sql, streamId, over) => within(sql, "live", ({ audit }) => audit.remove(sql, streamId, over))
    }
  }
}
