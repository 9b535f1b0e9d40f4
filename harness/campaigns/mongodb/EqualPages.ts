/**
 * The same log as an order view in PostgreSQL and as one in MongoDB: every list, by every filter and sort, has to be the same
 * page by page, to the byte of each document and to the cursor; and so has every order by its id, and every count.
 */
import { Array as Arr, Effect, Layer, Logger } from "effect"
import * as MongoOrderQueries from "../../../src/mongodb/MongoOrderQueries.ts"
import { CustomerId, OrderId } from "../../../src/order/OrderId.ts"
import { type OrderFilter, OrderQueries, type OrderSort } from "../../../src/views/order/OrderQueries.ts"
import { OrderViewProjection } from "../../../src/views/order/OrderViewProjection.ts"
import { seed, seeded } from "../../fixtures/SeededRandom.ts"
import { append, orderLives } from "../../orders/OrderLives.ts"
import * as MongoViewLayer from "../../views/MongoViewLayer.ts"
import { filtersBetween } from "../../views/OrderFilters.ts"
import { readerLayer, unaudited } from "../../views/ViewLayer.ts"

export interface Plan {
  readonly databaseUrl: string
  readonly mongoUrl: string
  readonly orders: number
}

export interface Report {
  readonly faults: ReadonlyArray<string>
  readonly lists: number
  readonly pages: number
  readonly orders: number
  /** Milliseconds that all pages took. */
  readonly millis: { readonly postgres: number; readonly mongodb: number }
}

const sorts: ReadonlyArray<OrderSort> = ["-placedAt", "placedAt", "updatedAt"]

type Queries = OrderQueries["Service"]

const text = (value: unknown) =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === "bigint" ? String(inner) : inner))

const timed = <A, E, R>(self: Effect.Effect<A, E, R>, add: (millis: number) => void) =>
  Effect.suspend(() => {
    const began = performance.now()
    return Effect.tap(self, () => Effect.sync(() => add(performance.now() - began)))
  })

const compare = Effect.fnUntraced(function* (postgres: Queries, mongodb: Queries, filters: ReadonlyArray<OrderFilter>) {
  const draw = seeded(seed)
  const faults: Array<string> = []
  const millis = { postgres: 0, mongodb: 0 }
  const ids: Array<OrderId> = []
  let [lists, pages] = [0, 0]
  for (const filter of filters) {
    for (const sort of sorts) {
      lists += 1
      let cursor: string | undefined
      do {
        const limit = 1 + Math.floor(draw() * 100)
        const query = { filter, sort, limit, ...(cursor === undefined ? {} : { cursor }) }
        const left = yield* timed(postgres.list(query), (took) => (millis.postgres += took))
        const right = yield* timed(mongodb.list(query), (took) => (millis.mongodb += took))
        pages += 1
        if (text(left) !== text(right)) faults.push(`${text(query)}: ${text(left)} is ${text(right)} in MongoDB`)
        if (lists === 1) ids.push(...left.orders.map(({ orderId }) => orderId as OrderId))
        cursor = left.hasMore ? left.next : undefined
      } while (cursor !== undefined && faults.length < 10)
    }
  }
  for (const some of Arr.chunksOf(ids, 200)) {
    const all = (queries: Queries) => Effect.forEach(some, (id) => queries.get(id), { concurrency: "unbounded" })
    const [left, right] = [yield* all(postgres), yield* all(mongodb)]
    if (text(left) !== text(right)) faults.push(`orders by their ids differ, from ${some[0]} on`)
  }
  for (const counted of [
    {},
    { customerId: CustomerId.make("customer-1") },
    { customerId: CustomerId.make("nobody") }
  ]) {
    const [left, right] = [yield* postgres.counts(counted), yield* mongodb.counts(counted)]
    if (text(left) !== text(right)) faults.push(`${text(counted)} counts ${text(left)}, and ${text(right)} in MongoDB`)
  }
  return { faults, lists, pages, orders: ids.length, millis }
})

export const run = ({ databaseUrl, mongoUrl, orders }: Plan): Promise<Report> =>
  Effect.gen(function* () {
    const opened = yield* MongoViewLayer.open(mongoUrl)
    return yield* Effect.gen(function* () {
      const postgres = yield* OrderQueries
      const mongodb = yield* MongoOrderQueries.make(opened.mongo, opened.collections)
      let head = 0n
      for (let made = 0; made < orders; made += 500) {
        head = yield* append(yield* orderLives(Math.min(500, orders - made)))
      }
      yield* postgres.awaitPosition(head)
      yield* mongodb.awaitPosition(head)
      const { orders: some } = yield* postgres.list({ filter: {}, sort: "placedAt", limit: 100 })
      const times = some.map(({ text }) => String(JSON.parse(text).placedAt))
      return yield* compare(postgres, mongodb, filtersBetween(times[10]!, times[80]!))
    }).pipe(
      Effect.provide(
        unaudited([OrderViewProjection, opened.projection]).pipe(
          Layer.provideMerge(readerLayer(databaseUrl)),
          Layer.provide(Logger.layer([]))
        )
      )
    )
  }).pipe(Effect.scoped, Effect.runPromise)
