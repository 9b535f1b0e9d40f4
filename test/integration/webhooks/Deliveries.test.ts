/** Webhooks on each kind of store: what is delivered, in which order, and what a failure holds back. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Layer } from "effect"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import { untilSo } from "../../../harness/clocks/Until.ts"
import { newOrderId, request, stock } from "../../../harness/orders/BothOrders.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { silent } from "../../../harness/views/ViewSteps.ts"
import { type Answer, faultsOf, type Received, start } from "../../../harness/webhooks/Receiver.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersLayers from "../../../src/orders/OrdersLayers.ts"
import { defaults as projectionDefaults, ProjectionLimits } from "../../../src/projection/ProjectionLimits.ts"
import * as StoredWebhooks from "../../../src/webhooks/StoredWebhooks.ts"
import { defaults, WebhookOptions } from "../../../src/webhooks/WebhookOptions.ts"
import { type NewWebhook, type Webhook, Webhooks } from "../../../src/webhooks/Webhooks.ts"

const options: WebhookOptions = {
  ...defaults,
  allowHttp: true,
  allowedNetworks: ["127.0.0.0/8"],
  firstPause: Duration.millis(5),
  longestPause: Duration.millis(50),
  awayPause: Duration.millis(20),
  timeout: Duration.seconds(60)
}

const withOptions = (changes: Partial<WebhookOptions> = {}) =>
  Layer.mergeAll(
    Layer.succeed(WebhookOptions, { ...options, ...changes }),
    Layer.succeed(ProjectionLimits, { ...projectionDefaults, lease: Duration.seconds(1) }),
    silent
  )

const onPostgres = (changes?: Partial<WebhookOptions>) =>
  Layer.unwrap(
    Effect.map(freshDatabase, (url) =>
      StoredWebhooks.layer.pipe(Layer.provideMerge(OrdersLayers.layerPostgres(url, patientConnections)))
    )
  ).pipe(Layer.provide(withOptions(changes)))

const inMemory = StoredWebhooks.layerMemory.pipe(
  Layer.provideMerge(Layer.fresh(OrdersLayers.layerMemory)),
  Layer.provide(withOptions())
)

const onPglite = StoredWebhooks.layer.pipe(
  Layer.provideMerge(OrdersLayers.layerPglite("memory")),
  Layer.provide(withOptions())
)

/** A receiver whose secret is the endpoint's, once it is made. */
const receiving = Effect.fnUntraced(function* (answer: Answer = () => 204) {
  let secret = "whsec_bm90aGluZw=="
  const came: Array<Received> = []
  const unverified: Array<string> = []
  const receiver = yield* Effect.acquireRelease(
    Effect.promise(() =>
      start({
        secret: () => secret,
        answer: (request, response) => {
          if (request.event === undefined) {
            unverified.push(request.body)
            return 401
          }
          const status = answer(request, response)
          if (status !== undefined && status < 300) came.push(request.event)
          return status
        }
      })
    ),
    ({ stop }) => Effect.promise(stop)
  )
  /** Makes an endpoint of it. */
  const subscribe = Effect.fnUntraced(function* (given: Partial<NewWebhook> = {}) {
    const made = yield* (yield* Webhooks).create({ url: receiver.url, start: "start", ...given })
    secret = made.secret
    return made.webhook.id
  })
  const setSecret = (next: string) => {
    secret = next
  }
  return { ...receiver, came, unverified, subscribe, setSecret }
})

const stored = Effect.gen(function* () {
  const events = yield* (yield* EventStore).readAll({ after: 0n, limit: 500 })
  return events
    .filter(({ streamId }) => streamId.startsWith("order-"))
    .map(({ eventId, streamId, version }) => ({ eventId, stream: streamId, version }))
})

/** Waits until all is delivered, and judges what came. */
const delivered = Effect.fnUntraced(function* ({
  came,
  unverified
}: {
  readonly came: ReadonlyArray<Received>
  readonly unverified: ReadonlyArray<string>
}) {
  const webhooks = yield* Webhooks
  yield* webhooks.list.pipe(
    Effect.delay("10 millis"),
    Effect.repeat({ until: (all) => all.every(({ behind, pending }) => behind === 0 && pending === 0) })
  )
  assert.deepStrictEqual(faultsOf(came, yield* stored), [])
  assert.deepStrictEqual(unverified, [])
})

describe.each([
  ["in memory", inMemory],
  ["on PGlite", onPglite],
  ["on PostgreSQL", onPostgres()]
] as const)("webhooks %s", (_, layer) => {
  it.live("deliver the log, signed; an order that fails holds back its own later events and no others", () =>
    Effect.gen(function* () {
      const bad = newOrderId(1)
      let isBad = false
      const tries: Array<string> = []
      const receiver = yield* receiving(({ event }) => {
        if (event?.subject !== bad || !isBad) return 204
        tries.push(event.type)
        return 500
      })
      const orders = yield* Orders
      const webhooks = yield* Webhooks
      yield* stock(orders)
      yield* orders.place(request(bad))
      yield* receiver.subscribe()
      yield* delivered(receiver)

      isBad = true
      yield* orders.confirm(bad)
      yield* orders.place(request(newOrderId(2)))
      yield* orders.cancel(bad, { reason: "other" })
      yield* orders.confirm(newOrderId(2))
      yield* Effect.promise(() => untilSo(() => receiver.came.length === 3 && tries.length > 3))
      const [webhook] = yield* webhooks.list
      assert.deepInclude(webhook, { isEnabled: true, url: receiver.url })
      assert.isAtLeast(webhook?.pending ?? 0, 1)
      assert.deepStrictEqual([...new Set(tries)], ["order.confirmed.v1"])
      const [first] = yield* webhooks.deliveries(webhook!.id, { state: "pending", limit: 10 })
      assert.strictEqual(first?.streamId, `order-${bad}`)

      isBad = false
      yield* delivered(receiver)
      assert.isFalse("failingSince" in (yield* webhooks.list)[0]!)
    }).pipe(Effect.scoped, Effect.provide(layer))
  )
})

/** Waits until the only endpoint is as asked. */
const webhookWhen = (isIt: (webhook: Webhook) => boolean) =>
  Effect.flatMap(Webhooks, ({ list }) =>
    list.pipe(
      Effect.delay("10 millis"),
      Effect.map(([webhook]) => webhook!),
      Effect.repeat({ until: isIt })
    )
  )

const came = (so: () => boolean) => Effect.promise(() => untilSo(so))

/** Places orders 1 to `count`. */
const placed = Effect.fnUntraced(function* (count: number) {
  const orders = yield* Orders
  yield* stock(orders)
  for (let number = 1; number <= count; number++) yield* orders.place(request(newOrderId(number)))
})

describe("an endpoint", () => {
  it.live("that answers 410 is disabled at once, and goes on where it stands once it is enabled", () =>
    Effect.gen(function* () {
      let status = 410
      const receiver = yield* receiving(() => status)
      yield* placed(3)
      const id = yield* receiver.subscribe()
      const disabled = yield* webhookWhen(({ isEnabled }) => !isEnabled)
      assert.match(disabled.problem ?? "", /410 Gone/)
      assert.isAtLeast(disabled.lag, 0)
      status = 204
      const enabled = yield* (yield* Webhooks).enable(id)
      assert.deepInclude(enabled, { isEnabled: true })
      assert.notProperty(enabled, "problem")
      yield* delivered(receiver)
      assert.lengthOf(receiver.came, 3)
    }).pipe(Effect.scoped, Effect.provide(onPostgres()))
  )

  it.live("for which everything fails for too long is disabled; nothing is given up, whatever its age", () =>
    Effect.gen(function* () {
      let status = 500
      const receiver = yield* receiving(() => status)
      yield* placed(4)
      const id = yield* receiver.subscribe()
      const disabled = yield* webhookWhen(({ isEnabled }) => !isEnabled)
      assert.match(disabled.problem ?? "", /^Every delivery has failed for 100ms\. The receiver answered 500\.$/)
      assert.isString(disabled.failingSince)
      const all = yield* (yield* Webhooks).deliveries(id, { limit: 10 })
      assert.deepStrictEqual([...new Set(all.map(({ state }) => state))], ["pending"])
      status = 204
      yield* (yield* Webhooks).enable(id)
      yield* delivered(receiver)
      assert.lengthOf(receiver.came, 4)
    }).pipe(Effect.scoped, Effect.provide(onPostgres({ disableAfter: Duration.millis(100), retryFor: Duration.zero })))
  )

  it.live("gives an event up that fails for too long while others get through; the order goes on behind it", () =>
    Effect.gen(function* () {
      const bad = newOrderId(1)
      let isOpen = true
      const receiver = yield* receiving(({ event }) => {
        if (!isOpen) return 503
        return event?.subject === bad && event.streamversion === 1 ? 422 : 204
      })
      const [orders, webhooks] = [yield* Orders, yield* Webhooks]
      yield* placed(1)
      const id = yield* receiver.subscribe()
      // Others get through all the time.
      let number = 2
      const isGivenUp = Effect.gen(function* () {
        yield* orders.place(request(newOrderId(number++)))
        return yield* webhooks.deliveries(id, { state: "failed", limit: 10 })
      })
      const [given] = yield* Effect.repeat(isGivenUp, { until: ({ length }) => length > 0 })
      assert.deepInclude(given, { version: 1, status: 422, problem: "The receiver answered 422.", state: "failed" })
      yield* orders.confirm(bad)
      yield* came(() => receiver.came.some(({ subject, streamversion }) => subject === bad && streamversion === 2))
      // It can be delivered after all.
      isOpen = false
      const again = yield* webhooks.redeliver(id, given!.eventId)
      assert.deepInclude(again, { state: "pending", attempts: 0 })
    }).pipe(Effect.scoped, Effect.provide(onPostgres({ retryFor: Duration.millis(20) })))
  )

  it.live("that was away is found to be back soon, however late the next try of each event is", () =>
    Effect.gen(function* () {
      let isAway = true
      const receiver = yield* receiving(({ event }) => (isAway || event?.subject === newOrderId(1) ? 500 : 204))
      yield* placed(3)
      const id = yield* receiver.subscribe()
      const all = (yield* Webhooks).deliveries(id, { limit: 10 })
      yield* Effect.repeat(all, { until: (rows) => rows.length === 3 && rows.every(({ attempts }) => attempts > 0) })
      isAway = false
      yield* came(() => receiver.came.length === 2)
      const left = yield* webhookWhen(({ pending }) => pending === 1)
      assert.isTrue(left.isEnabled)
    }).pipe(
      Effect.scoped,
      Effect.provide(onPostgres({ firstPause: Duration.hours(1), longestPause: Duration.hours(1) }))
    )
  )

  it.live("that is busy is left alone for as long as it says, by all orders", () =>
    Effect.gen(function* () {
      const isAsked = yield* Deferred.make<void>()
      let requests = 0
      const receiver = yield* receiving((_, response) => {
        requests += 1
        Deferred.doneUnsafe(isAsked, Exit.void)
        response.writeHead(429, { "retry-after": "3600" }).end()
        return undefined
      })
      yield* placed(1)
      const id = yield* receiver.subscribe()
      yield* Deferred.await(isAsked)
      const webhooks = yield* Webhooks
      yield* Effect.repeat(webhooks.deliveries(id, { limit: 10 }), { until: ([one]) => one?.status === 429 })
      yield* (yield* Orders).place(request(newOrderId(2)))
      yield* (yield* Orders).place(request(newOrderId(3)))
      const { pending } = yield* webhookWhen(({ behind }) => behind === 0)
      assert.strictEqual(pending, 3)
      assert.strictEqual(requests, 1)
      const [first] = (yield* webhooks.deliveries(id, { limit: 10 })).toReversed()
      const wait = Date.parse(first!.nextAt!) - Date.parse(first!.attemptedAt!)
      assert.isAtLeast(wait, 3_599_000)
    }).pipe(Effect.scoped, Effect.provide(onPostgres()))
  )

  it.live("holds at most so many requests open at once, one for each order", () =>
    Effect.gen(function* () {
      const open: Array<string> = []
      const answers: Array<() => void> = []
      const receiver = yield* receiving(({ event }, response) => {
        open.push(event!.subject)
        answers.push(() => response.writeHead(204).end())
        return undefined
      })
      const orders = yield* Orders
      yield* placed(0)
      for (const number of [1, 2, 3, 4, 5]) {
        yield* orders.place(request(newOrderId(number)))
        yield* orders.confirm(newOrderId(number))
      }
      yield* receiver.subscribe()
      yield* came(() => open.length === 3)
      yield* webhookWhen(({ behind, pending }) => behind === 0 && pending === 10)
      assert.deepStrictEqual(open.toSorted(), [1, 2, 3].map(newOrderId))
      answers.shift()!()
      yield* came(() => open.length === 4)
      assert.strictEqual(open.at(-1), open[0], "its next event, which is the first that is due")
      while (open.length < 10) {
        yield* came(() => answers.length > 0)
        answers.shift()!()
      }
    }).pipe(Effect.scoped, Effect.provide(onPostgres({ inFlight: 3 })))
  )

  it.live("whose queue is full leaves the rest in the log, however long that is, and gets it all in the end", () =>
    Effect.gen(function* () {
      let status = 503
      const receiver = yield* receiving(() => status)
      yield* placed(30)
      yield* receiver.subscribe()
      const full = yield* webhookWhen(({ pending }) => pending >= 4)
      assert.isAbove(full.behind, 0)
      yield* (yield* Orders).place(request(newOrderId(31)))
      status = 204
      yield* delivered(receiver)
      assert.lengthOf(receiver.came, 31)
    }).pipe(Effect.scoped, Effect.provide(onPostgres({ queue: 4, batch: 3 })))
  )
})
