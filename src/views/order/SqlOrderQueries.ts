/** Order queries from `ordinal.order_view`: one statement each, from the reads pool. */
import { Effect, Layer } from "effect"
import { Database } from "../../database/Database.ts"
import { orUnavailable, withinSeconds } from "../../database/SqlFailure.ts"
import { OrderPolicies } from "../../order/OrderPolicies.ts"
import type { Order } from "../../order/OrderState.ts"
import * as Checkpoint from "../../projection/Checkpoint.ts"
import { ProjectionProgress } from "../../projection/consistency/ProjectionProgress.ts"
import * as OrderCountsStatement from "./OrderCountsStatement.ts"
import type { OrderEntry } from "./OrderEntry.ts"
import * as OrderListQuery from "./OrderListQuery.ts"
import * as OrderListStatement from "./OrderListStatement.ts"
import { type Freshness, noOrders, OrderQueries } from "./OrderQueries.ts"
import * as OrderStatement from "./OrderStatement.ts"
import * as OrderView from "./OrderView.ts"
import { OrderViewProjection } from "./OrderViewProjection.ts"

const freshness = ({ position, behind, lag, parked }: Checkpoint.Lag): Freshness => ({ position, behind, lag, parked })

/** The state is as this version of the projection wrote it: another shape would be another version. */
const entry = ({ order, position, updatedAt }: OrderListStatement.EntryRow): OrderEntry => ({
  order: order as Order,
  updatedAt: new Date(updatedAt).toISOString(),
  position: BigInt(position)
})

export const make = Effect.gen(function* () {
  const policies = yield* OrderPolicies
  const { reads: sql } = yield* Database
  const progress = yield* ProjectionProgress

  return OrderQueries.of({
    get: Effect.fn("OrderQueries.get")(function* (orderId) {
      const [row] = yield* OrderStatement.make(sql, orderId).pipe(orUnavailable, withinSeconds(6))
      if (row === undefined) return yield* Effect.die(new Error("the log has no head"))
      const { order, parkedAt, updatedAt } = row
      return {
        ...(order === null || updatedAt === null
          ? {}
          : { order: OrderView.fromState(order, updatedAt.toISOString(), policies) }),
        freshness: freshness(row),
        ...(parkedAt === null ? {} : { parkedAt })
      }
    }),

    counts: Effect.fn("OrderQueries.counts")(function* ({ customerId }) {
      const [row] = yield* OrderCountsStatement.make(sql, customerId).pipe(orUnavailable, withinSeconds(6))
      if (row === undefined) return yield* Effect.die(new Error("the log has no head"))
      return { counts: { ...noOrders, ...row.counts }, freshness: freshness(row) }
    }),

    list: Effect.fn("OrderQueries.list")(function* (query) {
      const parsed = yield* OrderListQuery.parse(query)
      const [row] = yield* OrderListStatement.make(sql, parsed).pipe(orUnavailable, withinSeconds(6))
      if (row === undefined) return yield* Effect.die(new Error("the log has no head"))
      return OrderListQuery.page(parsed, row.entries.map(entry), freshness(row), policies)
    }),

    awaitPosition: (position) => progress.awaitPosition(OrderViewProjection, position),
    position: progress.position(OrderViewProjection),
    isLive: Effect.map(progress.status(OrderViewProjection), (status) => status === undefined || status === "live")
  })
})

export const layer = Layer.effect(OrderQueries, make)
