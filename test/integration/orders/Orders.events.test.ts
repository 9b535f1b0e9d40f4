import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import type { PublishedEvent } from "../../../src/aggregate/PublishedEvent.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import { newOrderId, request } from "../../../harness/orders/BothOrders.ts"
import { orderServices } from "../../../harness/orders/OrderServices.ts"

let lastId = 0

/** So many new orders, of two events each; the last position then. */
const place = Effect.fnUntraced(function* (count: number) {
  const orders = yield* Orders
  const placeOne = Effect.suspend(() => orders.place(request(newOrderId(++lastId), { confirm: true })))
  const receipts = yield* Effect.replicateEffect(placeOne, count, { concurrency: 4 })
  return receipts.map(({ position }) => position).reduce((left, right) => (left > right ? left : right))
})

const positions = (events: Iterable<PublishedEvent>) => Array.from(events, ({ position }) => position)

/** From `after` on, without a gap. */
const slice = (after: bigint, length: number) => Array.from({ length }, (_, index) => after + BigInt(index) + 1n)

describe.each(Object.entries(orderServices))("the events of an order service %s", (_, layer) => {
  withLayer(layer, { excludeTestServices: true })((it) => {
    it.effect("come from a position on without gap or duplicate, however often they are taken up again", () =>
      Effect.gen(function* () {
        const orders = yield* Orders
        const start = yield* place(1)
        const resumed = Effect.gen(function* () {
          const got: Array<bigint> = []
          while (got.length < 60) {
            const some = orders.events({ after: got.at(-1) ?? start, heartbeat: "1 millis" })
            got.push(...positions(yield* some.pipe(Stream.take(7), Stream.runCollect)))
          }
          return got.slice(0, 60)
        })
        const throughout = orders.events({ after: start }).pipe(Stream.take(70), Stream.runCollect)
        const readers = yield* Effect.forkChild(Effect.all([resumed, throughout], { concurrency: 2 }))
        yield* place(35)
        const [some, all] = yield* Fiber.join(readers)
        assert.deepStrictEqual(some, slice(start, 60))
        assert.deepStrictEqual(positions(all), slice(start, 70))
      })
    )

    it.effect("are of one order if so asked, and the view has each of them as it comes", () =>
      Effect.gen(function* () {
        const orders = yield* Orders
        const orderId = newOrderId(lastId + 3)
        const follow = orders.events({ after: 0n, orderId }).pipe(
          Stream.mapEffect((event) =>
            Effect.map(orders.get(orderId), ({ order }) => ({ event, isSeen: order.version >= event.version }))
          ),
          Stream.take(3),
          Stream.runCollect
        )
        const following = yield* Effect.forkChild(follow)
        yield* place(10)
        yield* orders.ship(orderId, {})
        const got = yield* Fiber.join(following)
        assert.deepStrictEqual(
          got.map(({ event, isSeen }) => [event.type, event.version, isSeen]),
          [
            ["order.placed.v1", 1, true],
            ["order.confirmed.v1", 2, true],
            ["order.items-shipped.v1", 3, true]
          ]
        )
        assert.deepStrictEqual(
          got.map(({ event }) => event),
          yield* orders.history(orderId)
        )
      })
    )

    it.effect("are those from now on if no position is named", () =>
      Effect.gen(function* () {
        const orders = yield* Orders
        const before = yield* place(1)
        const first = orders.events().pipe(Stream.take(1), Stream.runCollect)
        const [event] = yield* Effect.raceFirst(first, Effect.forever(place(1)))
        assert.isAbove(Number(event?.position), Number(before))
      })
    )

    it.effect("fail with a typed error above the head of the log", () =>
      Effect.gen(function* () {
        const orders = yield* Orders
        const position = yield* Stream.runDrain(orders.events({ after: 99_999n })).pipe(
          Effect.as(0n),
          Effect.catchTag("InvalidPosition", ({ position }) => Effect.succeed(position))
        )
        assert.strictEqual(position, 99_999n)
      })
    )
  })
})
