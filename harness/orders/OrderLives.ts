/** Random lives of several orders, side by side in one log. */
import { Array as Arr, Effect, Random } from "effect"
import * as Arbitrary from "effect/Arbitrary"
import { type Entry, EventStore } from "../../src/eventstore/EventStore.ts"
import * as StreamId from "../../src/eventstore/StreamId.ts"
import { OrderAggregate } from "../../src/order/OrderAggregate.ts"
import type { OrderCommand } from "../../src/order/OrderCommand.ts"
import { CustomerId, OrderId } from "../../src/order/OrderId.ts"
import { orderCommands } from "../../src/testing/OrderCommands.ts"
import { trace } from "../../src/testing/Trace.ts"
import { seed } from "../fixtures/SeededRandom.ts"

const newOrderId = () => {
  const uuid = crypto.randomUUID()
  return OrderId.make(`ord_${uuid.slice(0, 14)}7${uuid.slice(15)}`)
}

/** Gives the same commands for another order and customer. */
const retarget = (commands: ReadonlyArray<OrderCommand>, orderId: OrderId, customerId: CustomerId) =>
  commands.map((command): OrderCommand =>
    command._tag === "PlaceOrder" ? { ...command, orderId, customerId } : { ...command, orderId }
  )

const entriesOf = (orderId: OrderId, customerId: CustomerId, commands: ReadonlyArray<OrderCommand>) => {
  const { steps } = trace(OrderAggregate.decider, retarget(commands, orderId, customerId))
  const entries: Array<Entry> = []
  let expected = 0
  for (const { events } of steps) {
    if (events.length === 0) continue
    const commandId = crypto.randomUUID()
    entries.push({
      streamId: StreamId.make("order", orderId),
      expected,
      commandId,
      events: events.map(({ event }) => ({ eventId: crypto.randomUUID(), ...OrderAggregate.codec.encode(event) })),
      metadata: { commandId, correlationId: commandId, causationId: commandId, customerId }
    })
    expected += events.length
  }
  return entries
}

/**
 * Makes entries of so many orders of five customers, in an order in which they can be appended. The seed of the run
 * brings the same lives back, under other ids.
 */
export const orderLives = Effect.fnUntraced(
  function* (orders: number, options: { readonly size?: number } = {}) {
    const lives = yield* Arbitrary.sampleEffect(orderCommands, { count: orders, size: options.size ?? 40 }).pipe(
      Effect.orDie
    )
    const waiting = lives.map((commands, index) =>
      entriesOf(newOrderId(), CustomerId.make(`customer-${index % 5}`), commands)
    )
    const turns = yield* Random.shuffle(waiting.flatMap((entries, index) => entries.map(() => index)))
    return [...turns].map((index) => waiting[index]!.shift()!)
  },
  (made, orders) => Random.withSeed(made, `${seed} ${orders}`)
)

/** The log's own answer may have been late, so that it was sent this twice; then it has its events. */
const isThere = Effect.fnUntraced(function* ({ events, expected, streamId }: Entry) {
  const log = yield* EventStore
  const { events: found } = yield* log.readStream(streamId, { after: expected, limit: events.length })
  return events.every(({ eventId }, index) => found[index]?.eventId === eventId)
})

/** Appends in batches of up to `batch` entries; the log's last position then. */
export const append = Effect.fnUntraced(function* (entries: ReadonlyArray<Entry>, batch = 50) {
  const log = yield* EventStore
  for (const some of Arr.chunksOf(entries, batch)) {
    const outcomes = yield* log.append(some, 20_000)
    for (const [index, outcome] of outcomes.entries()) {
      const isStored = outcome._tag === "Accepted" || (outcome._tag === "Duplicate" && (yield* isThere(some[index]!)))
      if (!isStored) return yield* Effect.die(outcome)
    }
  }
  return (yield* log.head).position
})
