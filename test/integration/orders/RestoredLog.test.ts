/**
 * Positions of history that was lost, or of another log, are refused with a sentence, however far the log has grown since:
 * nobody is answered older data than asked for, and no subscriber skips events.
 */
import { assert, it } from "@effect/vitest"
import { Context, Effect, Layer, Redacted, type Scope, Stream } from "effect"
import { get } from "node:http"
import { Database } from "../../../src/database/Database.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { restoreLog } from "../../../harness/faults/RestoredLog.ts"
import { longestWait, patientConnections } from "../../../harness/clocks/Patience.ts"
import {
  client,
  customers,
  newOrderId,
  products,
  request,
  type Service,
  served,
  stock
} from "../../../harness/orders/BothOrders.ts"
import { copyOf } from "../../../harness/servers/FreshDatabase.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

const on = (url: string) => Layer.build(OrdersLayers.layerPostgres(url, patientConnections))

const using = <A, E>(url: string, use: (orders: Service) => Effect.Effect<A, E, Scope.Scope>) =>
  Effect.scoped(Effect.flatMap(on(url), (context) => use(Context.get(context, Orders))))

const place = (orders: Service, first: number, count: number) =>
  Effect.forEach(Array.from({ length: count }), (_, index) => orders.place(request(newOrderId(first + index))))

/** A log, and a copy of it that has grown past what the log stored after it was copied. */
const restored = Effect.gen(function* () {
  const url = yield* freshDatabase
  const kept = yield* using(url, (orders) =>
    Effect.gen(function* () {
      yield* stock(orders)
      return (yield* place(orders, 1, 3)).at(-1)!
    })
  )
  const copy = yield* copyOf(url)
  const lost = yield* using(url, (orders) => Effect.map(place(orders, 11, 5), (receipts) => receipts.at(-1)!))
  const context = yield* on(copy)
  const orders = Context.get(context, Orders)
  const newest = (yield* place(orders, 21, 8)).at(-1)!
  assert.isTrue(newest.position > lost.position && lost.position > kept.position)
  return { kept, lost, newest, orders, log: Context.get(context, EventStore) }
})

/** `fetch` can't ask for a WebSocket. */
const answerOf = (url: string, headers: Record<string, string>) =>
  new Promise<{ readonly status: number | undefined; readonly body: { readonly detail: string } }>(
    (resolve, reject) => {
      const asked = get(url, { headers, agent: false }, (answer) => {
        let text = ""
        answer.on("data", (part) => (text += String(part)))
        answer.on("end", () => resolve({ status: answer.statusCode, body: JSON.parse(text) }))
      })
      asked.on("error", reject)
    }
  )

const refusals = (orders: Service, token: string) => {
  const options = { token, ...longestWait }
  return {
    get: orders.get(newOrderId(1), options),
    list: orders.list({}, options),
    counts: orders.counts({}, options),
    history: orders.history(newOrderId(1), options),
    at: orders.at(newOrderId(1), 1, options),
    product: orders.product(products.mug, options),
    products: orders.products({}, options),
    customer: orders.customer(customers.ada, options),
    customers: orders.customers({}, options),
    awaitCatalog: orders.awaitCatalog(token, longestWait)
  }
}

const isRefusedBy = Effect.fnUntraced(function* (orders: Service, token: string) {
  const position = BigInt(token.split(".")[0]!)
  for (const [name, read] of Object.entries(refusals(orders, token))) {
    const error = yield* Effect.flip(
      read as Effect.Effect<unknown, { readonly _tag: string; readonly message: string }>
    )
    assert.containSubset(error, { _tag: "InvalidToken", token, position }, name)
    assert.match(error.message, /does not know position \d+.*history was lost.*another log/, name)
  }
  const refused = yield* Effect.flip(Stream.runDrain(orders.events({ after: token })))
  assert.containSubset(refused, { _tag: "InvalidPosition", position })
})

it.live("a copy that was restored, and has grown past it, refuses what was lost", () =>
  Effect.gen(function* () {
    const { kept, lost, newest, orders } = yield* restored
    const url = yield* served(orders)
    const remote = yield* client({ baseUrl: url, retries: 0 })
    for (const service of [orders, remote]) {
      yield* isRefusedBy(service, lost.token)
      // What the copy has is known to it: a token's list has at least what was there when the token was given.
      const idsAt = (token: string) =>
        Effect.map(service.list({}, { token, ...longestWait }), ({ orders }) => orders.map(({ orderId }) => orderId))
      assert.includeMembers(
        yield* idsAt(kept.token),
        Array.from({ length: 3 }, (_, index) => newOrderId(1 + index))
      )
      assert.lengthOf(yield* idsAt(newest.token), 11)
      // Nothing after it is skipped.
      const count = Number(newest.position - kept.position)
      const events = yield* Stream.runCollect(Stream.take(service.events({ after: kept.token }), count))
      assert.deepStrictEqual(
        events.map(({ position }) => position),
        Array.from({ length: count }, (_, index) => kept.position + BigInt(index + 1))
      )
      yield* Stream.runDrain(Stream.take(service.events({ after: lost.position }), 1))
    }

    for (const [path, headers] of [
      ["/events", { "last-event-id": lost.token }],
      [`/events?after=${lost.token}`, {}],
      [
        `/events/ws?after=${lost.token}`,
        {
          connection: "Upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="
        }
      ]
    ] as const) {
      const { body, status } = yield* Effect.promise(() => answerOf(`${url}${path}`, headers))
      const position = Number(lost.position)
      assert.containSubset(body, { type: "/problems/invalid-position", position, head: Number(newest.position) }, path)
      assert.strictEqual(status, 400, path)
      assert.match(body.detail, /does not know position/)
    }
  })
)

it.live("a view that was made of history that was lost answers no token of the history that took its place", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    yield* using(url, (orders) =>
      Effect.gen(function* () {
        yield* stock(orders)
        const last = (yield* place(orders, 1, 5)).at(-1)!
        yield* orders.list({}, { token: last.token, ...longestWait })
      })
    )
    yield* Effect.gen(function* () {
      const { reads: sql } = yield* Database
      const [head] = yield* sql<{ readonly position: bigint }>`SELECT "position" FROM ordinal.log_head`
      yield* restoreLog(head!.position - 3n)
    }).pipe(Effect.provide(Database.layer({ url: Redacted.make(url) })))
    yield* using(url, (orders) =>
      Effect.gen(function* () {
        // The view's checkpoint is past this position.
        const [first] = yield* place(orders, 21, 8)
        for (const read of [orders.list, orders.counts]) {
          const behind = yield* Effect.flip<unknown, { readonly _tag: string }, never>(
            read({}, { token: first!.token, wait: "1 second" })
          )
          assert.strictEqual(behind._tag, "ProjectionBehind")
        }
      })
    )
  })
)

it.live(
  "another log refuses every token, also that of position 0, and takes those of older programs if it is theirs",
  () =>
    Effect.gen(function* () {
      const other = Context.get(yield* on(yield* freshDatabase), Orders)
      yield* stock(other)
      yield* place(other, 1, 3)
      const { kept, log, orders } = yield* restored
      yield* isRefusedBy(other, kept.token)
      const [begin] = yield* Stream.runCollect(Stream.take(Stream.unwrap(orders.subscribe({ after: 0n })), 1))
      yield* isRefusedBy(other, begin!.token)
      const { logId } = yield* log.head
      yield* orders.list({}, { token: `${kept.position}.${logId}`, ...longestWait })
      yield* isRefusedBy(other, `2.${logId}`)
      yield* isRefusedBy(orders, `999999.${logId}`)
    })
)
