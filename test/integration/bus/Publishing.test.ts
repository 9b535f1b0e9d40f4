/** The publisher as the kernel runs it: behind the log, with a checkpoint, parking and take-over. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Broker, BrokerUnavailable } from "../../../src/bus/Broker.ts"
import * as EventPublisher from "../../../src/bus/EventPublisher.ts"
import * as MemoryBroker from "../../../src/bus/MemoryBroker.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { LineId } from "../../../src/order/OrderId.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { ParkedStreams } from "../../../src/projection/parking/ParkedStreams.ts"
import { Projections } from "../../../src/projection/Projections.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { newOrderId, request, stock } from "../../../harness/orders/BothOrders.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

const topic = { name: "orders", partitions: 4, replicationFactor: 1 }

const published = Effect.gen(function* () {
  const records = yield* (yield* Broker).last("orders", 10_000)
  return records.map(({ value }): { id: string; subject: string; streamversion: number } =>
    JSON.parse(new TextDecoder().decode(value))
  )
})

const stored = Effect.gen(function* () {
  const events = yield* (yield* EventStore).readAll({ after: 0n, limit: 500 })
  return events.filter(({ streamId }) => streamId.startsWith("order-")).map(({ eventId }) => eventId)
})

const info = Effect.gen(function* () {
  const all = yield* (yield* Projections).list
  return all.find(({ name }) => name === EventPublisher.subscriptionOf("orders"))
})

const untilPublished = Effect.repeat(info, {
  until: (info) => info !== undefined && info.behind === 0 && info.status === "live"
})

const publishing = <A, E, R>(during: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.andThen(Layer.build(EventPublisher.layer({ topic })), during))

const onPostgres = Layer.unwrap(Effect.map(freshDatabase, (url) => OrdersLayers.layerPostgres(url, patientConnections)))

it.live.each([["in memory", Layer.fresh(OrdersLayers.layerMemory)] as const, ["on PostgreSQL", onPostgres] as const])(
  "what is stored %s is in the topic; a refused event parks its order, a broker that is away delays all",
  ([, layer]) => {
    const broker = MemoryBroker.make({ maxRecordBytes: 4_000 })
    let isAway = false
    const sometimes = Broker.of({
      ...broker,
      send: (name, records) =>
        Effect.suspend(() => (isAway ? BrokerUnavailable.because("it is down") : broker.send(name, records)))
    })
    return Effect.gen(function* () {
      const orders = yield* Orders
      yield* stock(orders)
      yield* orders.place(request(newOrderId(1)))
      const during = Effect.gen(function* () {
        yield* orders.place(request(newOrderId(2)))
        yield* untilPublished
        assert.sameMembers(
          (yield* published).map(({ id }) => id),
          yield* stored
        )

        isAway = true
        yield* orders.confirm(newOrderId(2))
        yield* Effect.repeat(info, { until: (info) => info?.status === "retrying" })
        isAway = false
        yield* untilPublished
        const before = yield* stored
        assert.sameMembers(
          (yield* published).map(({ id }) => id),
          before
        )

        const [line] = request(newOrderId(3)).lines
        const more = Array.from({ length: 60 }, (_, index) => ({ ...line, lineId: LineId.make(`more${index}`) }))
        yield* orders.place(request(newOrderId(3), { lines: [line, ...more] }))
        yield* orders.confirm(newOrderId(3))
        yield* orders.confirm(newOrderId(1))
        yield* untilPublished
        assert.lengthOf(yield* published, before.length + 1)
        const [parked] = yield* (yield* ParkedStreams).list
        assert.strictEqual(parked?.streamId, `order-${newOrderId(3)}`)
        assert.match(parked?.reason ?? "", /refused the record of the key .*: it has more than 4000 bytes/)
        const others = (yield* published).filter(({ subject }) => subject === newOrderId(1))
        assert.deepStrictEqual(
          others.map(({ streamversion }) => streamversion),
          [1, 2]
        )
      })
      yield* publishing(during)
      // A publisher that is started again goes on, and publishes nothing twice.
      yield* orders.place(request(newOrderId(4)))
      const ids = (yield* publishing(Effect.andThen(untilPublished, published))).map(({ id }) => id)
      assert.strictEqual(new Set(ids).size, ids.length)
      assert.lengthOf(ids, (yield* stored).length - 2)
    }).pipe(Effect.provide(Layer.provideMerge(Layer.succeed(Broker, sometimes), layer)))
  }
)
