/** A command that is sent inside a transaction of the database is refused, since it could not be part of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { Database } from "../../../src/database/Database.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { newOrderId, request, stock } from "../../../harness/orders/BothOrders.ts"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

/** Each way of sending a command inside a transaction of `sql` fails, and nothing is stored. */
const refusesIn = Effect.fnUntraced(function* (sql: Pick<SqlClient, "withTransaction">) {
  const orders = yield* Orders
  const log = yield* EventStore
  const before = yield* log.head
  for (const idempotencyKey of [undefined, "key"]) {
    const place = orders.place(request(newOrderId(1)), idempotencyKey === undefined ? {} : { idempotencyKey })
    for (const inside of [sql.withTransaction(place), sql.withTransaction(sql.withTransaction(place))]) {
      const error = yield* Effect.flip(inside)
      assert.strictEqual(error._tag, "InvalidRequest")
      assert.include(error.message, "transaction: A command is stored by a transaction of its own")
    }
  }
  assert.deepStrictEqual(yield* log.head, before)
})

describe("a command inside a transaction", () => {
  it.live("is refused if it is one of this database, by whatever client, and not one of another database", () =>
    Effect.gen(function* () {
      const [url, otherUrl] = [yield* freshDatabase, yield* freshDatabase]
      const [same, other] = [yield* connect(url), yield* connect(otherUrl)]
      yield* Effect.gen(function* () {
        const orders = yield* Orders
        const { projections, reads } = yield* Database
        yield* stock(orders)
        for (const sql of [same, reads, projections]) yield* refusesIn(sql)
        assert.strictEqual((yield* other.withTransaction(orders.place(request(newOrderId(2))))).version, 1)
        const outside = yield* same
          .withTransaction(Effect.void)
          .pipe(Effect.andThen(orders.place(request(newOrderId(3)))))
        assert.strictEqual(outside.version, 1)
      }).pipe(Effect.provide(Layer.fresh(OrdersLayers.layerPostgres(url, patientConnections))))
    })
  )

  it.live("is refused at once on the only connection of PGlite", () =>
    Effect.gen(function* () {
      yield* stock(yield* Orders)
      yield* refusesIn((yield* Database).reads)
    }).pipe(Effect.provide(Layer.fresh(OrdersLayers.layerPglite("memory"))))
  )
})

it.live("a query inside a transaction is a part of it, on the only connection of PGlite as well", () =>
  Effect.gen(function* () {
    const orders = yield* Orders
    const { reads } = yield* Database
    yield* stock(orders)
    const { orderId, token } = yield* orders.place(request(newOrderId(4)))
    yield* orders.get(orderId, { token })
    const { order } = yield* reads.withTransaction(orders.get(orderId))
    assert.strictEqual(order.orderId, orderId)
  }).pipe(Effect.provide(Layer.fresh(OrdersLayers.layerPglite("memory"))))
)
