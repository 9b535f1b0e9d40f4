/**
 * Cuts the connections between `Orders` and PostgreSQL in every way a network does, while callers go on asking. Every
 * caller must be answered in time, with a receipt or a typed "later"; and in the log every wish took effect exactly
 * once (or, where the outcome was unknown and nobody asked again, at most once).
 */
import { Context, Duration, Effect, Fiber, Layer, Logger, References } from "effect"
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"
import { demoCustomers, demoProducts } from "../../src/orders/DemoCatalog.ts"
import * as AggregateLimits from "../../src/aggregate/AggregateLimits.ts"
import type { OrderId } from "../../src/order/OrderId.ts"
import { Orders } from "../../src/orders/Orders.ts"
import { connect } from "../servers/FreshDatabase.ts"
import * as PostgresProxy from "../faults/PostgresProxy.ts"
import { judge } from "../judges/WishJudge.ts"
import { ask, askAgain, confirm, newOrderId, place, request, ship, type Told, type Wish } from "./Wishes.ts"

export interface Plan {
  /** So many cuts come before the append's statement gets through, and as many after it ran, before its answer. */
  readonly cuts: number
  /** The statement runs and its answer never comes. Each takes about 3 s. */
  readonly swallowed: number
  /** All connections at once, at any moment, with 16 callers at work. */
  readonly hangUps: number
  /** The database goes away for longer than a command may take. Each takes a few seconds. */
  readonly away: number
}

/** These are a command's deadline, and what an answer may take beyond it. */
const patience = 5_000 + 2_500
/**
 * This is the deadline of callers who must not notice a cut or a swallowed answer; the latter is found out after 3 s.
 */
const longDeadline = 60_000
const shortDeadline = 600

const fillCatalog = Effect.fnUntraced(function* (orders: Orders["Service"]) {
  for (const { _tag, productId, ...product } of demoProducts) yield* orders.saveProduct(productId, product)
  for (const { _tag, customerId, ...customer } of demoCustomers) yield* orders.saveCustomer(customerId, customer)
})

/** Opens `Orders` behind a proxy; what is logged as an error is a fault. */
const open = Effect.fnUntraced(function* (url: string, deadline: number, faults: Array<string>) {
  const proxy = yield* PostgresProxy.make(url)
  const logger = Logger.make(({ logLevel, message }) => {
    if (logLevel === "Error" || logLevel === "Fatal") faults.push(`logged: ${String(message)}`)
  })
  const limits = { ...AggregateLimits.defaults, commandDeadline: Duration.millis(deadline) }
  const layer = OrdersLayers.layerPostgres(proxy.url).pipe(
    Layer.provide(Layer.succeed(AggregateLimits.AggregateLimits, limits)),
    Layer.provide(Logger.layer([logger])),
    Layer.provide(Layer.succeed(References.MinimumLogLevel, "Error"))
  )
  return { proxy, orders: Context.get(yield* Layer.build(layer), Orders) }
})

/** Makes orders with a great many units in them, for shipments one by one. */
const longOrders = (orders: Orders["Service"]) =>
  Effect.forEach(Array.from({ length: 5 }, newOrderId), (orderId) => {
    const wish: Wish = { ...place(orders, false), ask: (options) => orders.place(request(99_999, orderId), options) }
    return Effect.map(ask(wish), (told) => ({ orderId, told }))
  })

const all = (wishes: ReadonlyArray<Wish>) => Effect.forEach(wishes, (wish) => ask(wish), { concurrency: "unbounded" })

const several = (orders: Orders["Service"], orderId: OrderId): ReadonlyArray<Wish> => [
  place(orders, true),
  place(orders, false),
  ship(orders, orderId, true),
  ship(orders, orderId, false),
  confirm(orders, orderId)
]

export const run = Effect.fnUntraced(function* (url: string, plan: Plan) {
  const faults: Array<string> = []
  const told: Array<Told> = []
  const usual = yield* open(url, 5_000, faults)
  const { orders, proxy } = usual
  yield* fillCatalog(orders)
  const long = yield* longOrders(orders)
  told.push(...long.map((each) => each.told))
  const longOrder = (index: number) => long[index % long.length]!.orderId
  const seconds: Record<string, number> = {}
  const timed = <A, E, R>(phase: string, effect: Effect.Effect<A, E, R>) =>
    Effect.suspend(() => {
      const start = performance.now()
      return Effect.tap(effect, () =>
        Effect.sync(() => {
          seconds[phase] = Math.round((performance.now() - start) / 100) / 10
        })
      )
    })

  /** Makes a cut in the midst of several commands, none of which may notice. */
  const cut = Effect.fnUntraced(function* (
    { orders, proxy }: Effect.Success<ReturnType<typeof open>>,
    fault: PostgresProxy.Fault,
    times: number
  ) {
    const before = proxy.hits()
    for (let round = 0; round < times; round++) {
      yield* proxy.inject(fault)
      const answers = yield* all(several(orders, longOrder(round)))
      for (const { errors, wish } of answers) if (errors.length > 0) faults.push(`${fault}: ${wish.what} got ${errors}`)
      told.push(
        ...(yield* Effect.forEach(answers, (answer) => (answer.wish.keyed ? askAgain(answer) : Effect.succeed(answer))))
      )
    }
    if (proxy.hits() - before !== times) faults.push(`${fault}: ${proxy.hits() - before} of ${times} faults took place`)
  })
  const patient = yield* open(url, longDeadline, faults)
  yield* timed("cut before", cut(patient, "cut before", plan.cuts))
  yield* timed("cut after", cut(patient, "cut after", plan.cuts))
  yield* timed("swallowed", cut(patient, "swallow", plan.swallowed))

  const hangUps = Effect.gen(function* () {
    let done = 0
    let due = 5
    let answers = 0
    const answered = Effect.suspend(() => {
      answers += 1
      if (answers < due || done >= plan.hangUps) return Effect.void
      done += 1
      due = answers + 1 + Math.floor(Math.random() * 20)
      return proxy.hangUp
    })
    const client = Effect.fnUntraced(function* (number: number) {
      for (let turn = number; done < plan.hangUps; turn++) {
        const wish = several(orders, longOrder(turn))[turn % 5]!
        const answer = yield* ask(wish)
        told.push(answer)
        yield* answered
      }
    })
    yield* Effect.forEach(Array(16).keys(), client, { concurrency: "unbounded" })
  })
  yield* timed("hang-ups", hangUps)

  const impatient = yield* open(url, shortDeadline, faults)
  const away = Effect.fnUntraced(function* (round: number) {
    const orderId = longOrder(round)
    const wishes = several(impatient.orders, orderId)
    // It must be in memory, so that the unknown outcome is of an append.
    told.push(...(yield* all(several(impatient.orders, orderId))))
    const answered = round % 2 === 0 ? "OutcomeUnknown" : "DatabaseUnavailable"
    if (round % 2 === 0) {
      const before = impatient.proxy.hits()
      yield* impatient.proxy.inject("swallow")
      for (let isSent = false; !isSent;) {
        const asking = yield* Effect.forkChild(all([ship(impatient.orders, orderId, false)]))
        while (impatient.proxy.hits() === before && asking.pollUnsafe() === undefined) yield* Effect.sleep(2)
        // On a machine that was held up it was given up before anything was sent.
        isSent = impatient.proxy.hits() > before
        if (isSent) yield* impatient.proxy.goAway
        told.push(...(yield* Fiber.join(asking)))
      }
    } else {
      yield* impatient.proxy.goAway
      told.push(...(yield* all([ship(impatient.orders, orderId, false)])))
    }
    if (told.at(-1)?.errors.join() !== answered) faults.push(`away: ${answered} expected, got ${told.at(-1)?.errors}`)
    const asking = yield* Effect.forkChild(all(wishes))
    yield* Effect.sleep(shortDeadline * 2)
    yield* impatient.proxy.comeBack
    told.push(...(yield* Fiber.join(asking)))
    told.push(...(yield* all(several(impatient.orders, orderId))))
  })
  yield* timed("away", Effect.forEach(Array(plan.away).keys(), away, { discard: true }))

  const sql = yield* connect(url)
  const judged = yield* judge(sql, told)
  for (const { longest, wish } of told) {
    if (longest > patience) faults.push(`${wish.what} ${wish.id} took ${Math.round(longest)} ms`)
  }
  // What the actors remember after all that is what the log says.
  for (const { orderId } of long) {
    const [row] = yield* sql<{ readonly version: number }>`SELECT max(version) AS version FROM ordinal.events
      WHERE stream_id = ${`order-${orderId}`}`
    for (const { get } of [orders, impatient.orders]) {
      const { confirm } = orders
      const { token } = yield* confirm(orderId)
      const { order } = yield* get(orderId, { token, wait: "30 seconds" })
      if (order.version !== row?.version)
        faults.push(`${orderId} is ${row?.version} in the log, ${order.version} in the view`)
    }
  }
  const errors = Map.groupBy(
    told.flatMap((each) => each.errors),
    (tag) => tag
  )
  return {
    faults: [...faults, ...judged.faults],
    wishes: told.length,
    events: judged.events,
    cuts: proxy.hits() + patient.proxy.hits(),
    answeredLater: Object.fromEntries([...errors].map(([tag, each]) => [tag, each.length])),
    longestMillis: Math.round(told.reduce((longest, each) => Math.max(longest, each.longest), 0)),
    seconds
  }
}, Effect.scoped)
