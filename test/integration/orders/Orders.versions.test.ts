import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { AggregateLimits, defaults } from "../../../src/aggregate/AggregateLimits.ts"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { OrderAggregate } from "../../../src/order/OrderAggregate.ts"
import type { OrderCommand } from "../../../src/order/OrderCommand.ts"
import { LineId } from "../../../src/order/OrderId.ts"
import type { OrderState } from "../../../src/order/OrderState.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrderView from "../../../src/views/order/OrderView.ts"
import { equal } from "../../../src/testing/EventStoreEntries.ts"
import { orderCommand, orderId, placeOrder } from "../../../src/testing/OrderCommands.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { seed } from "../../../harness/fixtures/SeededRandom.ts"
import { patientCommands, patientConnections } from "../../../harness/clocks/Patience.ts"

const edits = 510
const { codec, decider } = OrderAggregate
const patient = Effect.provideService(AggregateLimits, { ...defaults, ...patientCommands })

/** Long: over more than one page of the log; varied: it ends with whatever random commands lead to. */
const longLife = Effect.fnUntraced(function* () {
  const aggregates = yield* Aggregates
  const edit = (number: number): OrderCommand => {
    const quantity = 3 + (number % 900)
    return { _tag: "ChangeLineQuantity", orderId, lineId: LineId.make("line-1"), quantity }
  }
  const random = yield* Arbitrary.sampleEffect(orderCommand, { count: 400, seed })
  const some = random.filter(({ _tag }) => _tag !== "CancelOrder")
  const confirm: OrderCommand = { _tag: "ConfirmOrder", orderId }
  const life = [placeOrder, ...Array.from({ length: edits }, (_, number) => edit(number)), ...some, confirm, ...some]
  yield* Effect.forEach(life, (command) => Effect.exit(aggregates.send(OrderAggregate, orderId, command)), {
    concurrency: 50
  })
})

/** The events of the stream itself, folded here one by one. */
const views = Effect.gen(function* () {
  const log = yield* EventStore
  const found: Array<OrderView.OrderView> = []
  let state: OrderState = decider.initialState
  for (;;) {
    const page = yield* log.readStream(StreamId.make("order", orderId), { after: found.length, limit: 100 })
    if (page.events.length === 0) return found
    for (const event of page.events) {
      state = decider.evolve(state, codec.decode(event), event.recordedAt)
      if (state._tag === "Order") found.push(OrderView.fromState(state, event.recordedAt))
    }
  }
})

/** Every version, or every so many. */
const everyVersionIsItsFold = (step: number) =>
  Effect.gen(function* () {
    yield* longLife()
    const orders = yield* Orders
    const all = yield* views
    assert.isAbove(all.length, edits)
    for (let version = 1; version <= all.length; version += step) {
      equal(yield* orders.at(orderId, version), all[version - 1], `version ${version}`)
    }
    for (const version of [0, all.length + 1]) {
      const none = yield* Effect.flip(orders.at(orderId, version))
      assert.strictEqual(none._tag, "VersionNotFound")
    }
  })

describe("an order as it was at a version", () => {
  it.live("is the fold of its first events, for every version", () =>
    everyVersionIsItsFold(1).pipe(Effect.provide(OrdersLayers.layerMemory), patient)
  )

  it.live("is the same from PostgreSQL, over its pages", () =>
    Effect.flatMap(freshDatabase, (url) =>
      everyVersionIsItsFold(33).pipe(Effect.provide(OrdersLayers.layerPostgres(url, patientConnections)))
    ).pipe(patient)
  )
})
