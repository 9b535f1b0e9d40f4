import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import type { RecordedEvent } from "../../../../src/eventstore/EventStore.ts"
import type { Batch } from "../../../../src/projection/Projection.ts"
import { OrderViewProjection } from "../../../../src/views/order/OrderViewProjection.ts"
import { readFrom } from "../../../../src/testing/EventStoreEntries.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { fresh, readerLayer } from "../../../../harness/views/ViewLayer.ts"

const batch = (events: ReadonlyArray<RecordedEvent>) => events as unknown as Batch

it.live("the next event of a stream is applied to its row as it is now, which an operator may have repaired", () =>
  Effect.gen(function* () {
    const { projections: sql } = yield* Database
    yield* append(yield* orderLives(20))
    const events = yield* readFrom(0n)
    const handle = (some: ReadonlyArray<RecordedEvent>) => OrderViewProjection.handle(sql, batch(some), "live")
    const next = events.findIndex(({ version }) => version > 1)
    assert.isAbove(next, 0)
    yield* handle(events.slice(0, next))
    yield* sql`UPDATE ordinal.order_view SET state = jsonb_set(state::jsonb, '{customerId}', '"repaired"')::json`
    yield* handle(events.slice(next, next + 1))
    const orderId = events[next]!.streamId.slice("order-".length)
    assert.deepStrictEqual(
      yield* sql`SELECT customer_id AS "customerId" FROM ordinal.order_view WHERE order_id = ${orderId}`,
      [{ customerId: "repaired" }]
    )
  }).pipe(Effect.provide(fresh(readerLayer)), Effect.scoped)
)
