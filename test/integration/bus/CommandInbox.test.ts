/** Commands from a topic: each takes effect once and has one answer, whatever is delivered again. */
import { assert, layer as withLayer } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { Broker, type BrokerRecord } from "../../../src/bus/Broker.ts"
import * as CommandCalls from "../../../src/bus/inbox/CommandCalls.ts"
import * as CommandInbox from "../../../src/bus/inbox/CommandInbox.ts"
import * as MemoryBroker from "../../../src/bus/MemoryBroker.ts"
import { CommandName } from "../../../src/order/OrderCommand.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { record } from "../../../harness/bus/BrokerContract.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { newOrderId, stock } from "../../../harness/orders/BothOrders.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

const onPostgres = Layer.unwrap(Effect.map(freshDatabase, (url) => OrdersLayers.layerPostgres(url, patientConnections)))

let topics = 0
const inbox = Effect.gen(function* () {
  const broker = yield* Broker
  const suffix = String(topics++)
  const commands = { name: `commands-${suffix}`, partitions: 3 }
  const replies = { name: `replies-${suffix}`, partitions: 3 }
  yield* broker.topic(commands)
  const made = yield* CommandInbox.make({ commands, replies, group: "shop" })
  const send = (...records: ReadonlyArray<BrokerRecord>) => broker.send(commands.name, records)
  const answers = Effect.map(broker.last(replies.name, 10_000), (records) =>
    records.map(({ value }): Answer => JSON.parse(new TextDecoder().decode(value)))
  )
  /** Runs an inbox until it has answered everything, and gives all answers. */
  const answered = Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(made.run)
    const isDone = Effect.map(made.lag, (lags) => lags.every(({ lag }) => lag === 0n))
    yield* Effect.repeat(Effect.delay(isDone, "5 millis"), { until: (done) => done })
    yield* Fiber.interrupt(fiber)
    return yield* answers
  })
  return { send, answered, commands, made }
})

interface Answer {
  readonly id: string
  readonly type: string
  readonly subject?: string
  readonly commandid: string
  readonly commandsource: string
  readonly data: Record<string, unknown>
}

const event = (id: string, type: string, subject: string | undefined, extra: object = {}) =>
  record(
    subject ?? id,
    JSON.stringify({ specversion: "1.0", id, source: "/erp", type, ...(subject && { subject }), ...extra })
  )

const place = (id: string, order: string) => event(id, "order.place", order, { data: placement({ confirm: false }) })
const short = ({ type }: Answer) => type.replace(/^order\.command-|\.v1$/g, "")

for (const [name, orders] of [
  ["in memory", Layer.fresh(OrdersLayers.layerMemory)],
  ["on PostgreSQL", onPostgres]
] as const) {
  const layer = Layer.tap(Layer.merge(orders, MemoryBroker.layer()), (context) =>
    Effect.provide(Effect.flatMap(Orders, stock), context)
  )
  withLayer(layer, { excludeTestServices: true, timeout: "60 seconds" })(`an inbox of commands ${name}`, (it) => {
    it.effect("takes each command once, however often it is delivered, and answers it with its receipt", () =>
      Effect.gen(function* () {
        const { answered, send } = yield* inbox
        const [one, other] = [newOrderId(1), newOrderId(2)]
        const confirm = event("c2", "order.confirm", one)
        yield* send(place("c1", one), place("c1", one), confirm, place("c3", other))
        const first = yield* answered
        yield* send(confirm, place("c1", one))
        const all = yield* answered
        assert.deepStrictEqual(first.filter(({ subject }) => subject === one).map(short), [
          "accepted",
          "accepted",
          "accepted"
        ])
        assert.lengthOf(all, 6)
        const byId = Map.groupBy(all, ({ commandid }) => commandid)
        for (const [command, answers] of byId) {
          assert.lengthOf(new Set(answers.map(({ id }) => id)), 1, command)
          assert.lengthOf(new Set(answers.map(({ data }) => JSON.stringify(data))), 1, command)
        }
        const { data } = byId.get("c2")![0]!
        assert.deepInclude(data, { orderId: one, version: 2, status: "confirmed", events: ["order.confirmed.v1"] })
        const history = yield* (yield* Orders).history(one)
        assert.deepStrictEqual(
          history.map(({ actor, type }) => [actor, type]),
          [
            ["/erp", "order.placed.v1"],
            ["/erp", "order.confirmed.v1"]
          ]
        )
      })
    )

    it.effect("answers a refusal as a problem, and the same again although the command could succeed by now", () =>
      Effect.gen(function* () {
        const { answered, send } = yield* inbox
        const order = newOrderId(3)
        const early = event("early", "order.confirm", order)
        yield* send(early, place("late", order), early, event("again", "order.confirm", order))
        const answers = (yield* answered).filter(({ subject }) => subject === order)
        assert.deepStrictEqual(answers.map(short), ["refused", "accepted", "refused", "accepted"])
        assert.deepStrictEqual(answers[0]!.data, answers[2]!.data)
        assert.deepInclude(answers[0]!.data, { type: "/problems/order-not-found", status: 404 })
      })
    )

    it.effect("answers what is no command, and goes on", () =>
      Effect.gen(function* () {
        const { answered, send } = yield* inbox
        const order = newOrderId(4)
        const noUtf8 = { ...record(order, ""), value: new Uint8Array([0x7b, 0xff, 0x7d]) }
        yield* send(
          noUtf8,
          record(order, "not JSON"),
          record(order, "[1]"),
          record(order, JSON.stringify({ specversion: "1.0", id: "no-type", source: "/erp" })),
          event("unknown", "order.frobnicate", order),
          event("no-body", "order.place", order),
          event("body", "order.confirm", order, { data: { why: "?" } }),
          event("two", "order.place", order, { data: placement({ orderId: newOrderId(9) }) }),
          record(order, "x".repeat(300_000)),
          place("good", order)
        )
        const answers = yield* answered
        assert.deepStrictEqual(answers.map(short), [...Array<string>(9).fill("refused"), "accepted"])
        const details = answers.slice(0, 9).map(({ data }) => String(data["detail"]))
        const expected = [
          /Expected UTF-8/,
          /is not JSON: expected a value at line 1, column 1/,
          /Expected/,
          /type: .*missing|type: .*Missing|type/,
          /is no command; take one of order\.place/,
          /customerId/,
          /data: is not taken here/,
          /subject: is another id than data\.orderId/,
          /larger than 262144 bytes/
        ]
        for (const [index, pattern] of expected.entries()) assert.match(details[index]!, pattern)
        assert.lengthOf(new Set(answers.map(({ id }) => id)), 10)
        const unreadable = answers.find(({ commandid }) => commandid === "no-type")
        assert.strictEqual(unreadable?.commandsource, "/erp")
      })
    )

    it.effect("reads commands in binary mode, with the ids of the path as attributes", () =>
      Effect.gen(function* () {
        const { answered, send } = yield* inbox
        const order = newOrderId(5)
        const line = { lineId: "a", productId: "mug", quantity: 2 }
        const binary = (id: string, type: string, headers: Record<string, string>, data: object | undefined) =>
          record(order, data === undefined ? "" : JSON.stringify(data), {
            ...headers,
            ce_specversion: "1.0",
            ce_id: id,
            ce_source: "/erp",
            ce_type: type,
            ce_subject: order,
            "content-type": "application/json"
          })
        yield* send(
          binary("b1", "order.place", {}, placement({ confirm: false, lines: [line, { ...line, lineId: "b" }] })),
          binary("b2", "order.change-line-quantity", { ce_lineid: "a" }, { quantity: 7 }),
          binary("b3", "order.remove-line", { ce_lineid: "b" }, undefined)
        )
        const answers = yield* answered
        assert.deepStrictEqual(answers.map(short), ["accepted", "accepted", "accepted"])
        const { token } = answers.at(-1)!.data
        assert.isString(token)
        const { order: read } = yield* (yield* Orders).get(order, { token: String(token) })
        assert.deepStrictEqual(
          read.lines.map(({ lineId, quantity }) => [lineId as string, quantity as number]),
          [["a", 7]]
        )
      })
    )

    it.effect("has a type for each command", () =>
      Effect.sync(() => assert.lengthOf(CommandCalls.types, CommandName.literals.length))
    )
  })
}
