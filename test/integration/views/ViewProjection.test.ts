/** What a projection wrote last it has in memory; after anything but a success it reads its rows again. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../src/database/Database.ts"
import type { RecordedEvent } from "../../../src/eventstore/EventStore.ts"
import type { Batch } from "../../../src/projection/Projection.ts"
import { OrderViewProjection } from "../../../src/views/order/OrderViewProjection.ts"
import { readFrom } from "../../../src/testing/EventStoreEntries.ts"
import { assertViewIsFold } from "../../../harness/judges/OrderViewFold.ts"
import { append, orderLives } from "../../../harness/orders/OrderLives.ts"
import { fresh, readerLayer } from "../../../harness/views/ViewLayer.ts"

const batch = (events: ReadonlyArray<RecordedEvent>) => events as unknown as Batch

it.live("the next events of a stream are applied to memory, and to the row after a failure", () =>
  Effect.gen(function* () {
    const { projections: sql } = yield* Database
    yield* append(yield* orderLives(20))
    const events = yield* readFrom(0n)
    const handle = (some: ReadonlyArray<RecordedEvent>) => OrderViewProjection.handle(sql, batch(some), "live")
    const half = Math.floor(events.length / 2)
    yield* handle(events.slice(0, half))

    // Rows that were made unreadable are not looked at, and written anew.
    yield* sql`UPDATE ordinal.order_view SET state = '{}', version = 99`
    const next = events.slice(half)
    const ids = new Set(next.map(({ streamId }) => streamId.slice("order-".length)))
    yield* handle(next)
    const left = yield* sql<{ readonly orderId: string }>`SELECT order_id AS "orderId" FROM ordinal.order_view
      WHERE version = 99 ORDER BY order_id`
    assert.isFalse(left.some(({ orderId }) => ids.has(orderId)))

    // From the beginning again, on other rows: nothing of the first pass is used.
    yield* sql`TRUNCATE ordinal.order_view`
    yield* handle(events.slice(0, half))
    const before = events.slice(0, half)
    const [failing, ...later] = next
    assert.strictEqual((yield* Effect.exit(handle([{ ...failing!, version: 9_999 }])))._tag, "Failure")
    yield* sql`UPDATE ordinal.order_view SET state = '{}'`
    const following = later.find(({ streamId, version }) =>
      before.some((event) => event.streamId === streamId && event.version === version - 1)
    )
    assert.isDefined(following)
    assert.strictEqual((yield* Effect.exit(handle([following!])))._tag, "Failure")

    yield* sql`TRUNCATE ordinal.order_view`
    yield* handle(events.slice(0, half))
    yield* handle(next)
    yield* assertViewIsFold
  }).pipe(Effect.provide(fresh(readerLayer)), Effect.scoped)
)
