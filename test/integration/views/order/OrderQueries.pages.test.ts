/** A page is bounded by the text that it holds, and the reader who goes on by the cursor gets every order once. */
import { assert, describe, layer as withLayer } from "@effect/vitest"
import { Effect } from "effect"
import { Database } from "../../../../src/database/Database.ts"
import { maxPageBytes } from "../../../../src/views/order/OrderListQuery.ts"
import { OrderId } from "../../../../src/order/OrderId.ts"
import { OrderQueries } from "../../../../src/views/order/OrderQueries.ts"
import { selectOrders } from "../../../../src/views/order/SqlOrderQueries.ts"
import { fresh, readerLayer } from "../../../../harness/views/ViewLayer.ts"

/** Orders whose texts have these sizes; the compressed text of each is small. */
const sizes = [400_000, 400_000, 400_000, 900_000, 200_000, maxPageBytes + 1, 100_000, 1_000, 1_000, 1_000]

const idOf = (index: number) => `ord_${String(index).padStart(8, "0")}-0000-7000-8000-000000000000`

const fill = Effect.gen(function* () {
  const { projections: sql } = yield* Database
  for (const [index, size] of sizes.entries()) {
    const head = `{"orderId":"${idOf(index)}","version":1,"note":"`
    const text = `${head}${"x".repeat(size - head.length - 16)}","allowed":[]}`
    yield* sql`INSERT INTO ordinal.order_view
        (order_id, version, "position", customer_id, status, payment_status, placed_at, updated_at, state, document, bytes)
      VALUES (${idOf(index)}, 1, ${index + 1}, 'ada', 'placed', 'unpaid', ${new Date(index)}, ${new Date(index)}, '{}',
        ${text}, ${text.length})`
  }
})

describe("the pages of large orders", () => {
  withLayer(fresh(readerLayer), { excludeTestServices: true })((it) => {
    it.effect("hold at most 1 MiB, or one order, and leave none out", () =>
      Effect.gen(function* () {
        yield* fill
        const queries = yield* OrderQueries
        for (const [sort, ids] of [
          ["placedAt", sizes.map((_, index) => idOf(index))],
          ["updatedAt", sizes.map((_, index) => idOf(index))],
          ["-placedAt", sizes.map((_, index) => idOf(index)).reverse()]
        ] as const) {
          const pages: Array<ReadonlyArray<string>> = []
          let cursor: string | undefined
          for (let hasMore = true; hasMore;) {
            const list = { filter: {}, sort, limit: 4, ...(cursor === undefined ? {} : { cursor }) }
            const page = yield* queries.list(list)
            const bytes = page.orders.reduce((sum, { text }) => sum + text.length, 0)
            assert.isTrue(bytes <= maxPageBytes || page.orders.length === 1)
            pages.push(page.orders.map(({ orderId }) => orderId))
            ;({ hasMore, next: cursor } = { next: undefined, ...page })
          }
          assert.deepStrictEqual(pages.flat(), ids)
          if (sort === "placedAt")
            assert.deepStrictEqual(
              pages.map(({ length }) => length),
              [2, 1, 1, 1, 1, 4]
            )
        }
      })
    )

    it.effect(
      "and reads of single orders at once: a statement answers at most 4 MiB of them, and nobody is left out",
      () =>
        Effect.gen(function* () {
          const { projections: sql, reads } = yield* Database
          const queries = yield* OrderQueries
          yield* sql`UPDATE ordinal.order_view SET bytes = 3_000_000`
          const ids = sizes.map((_, index) => OrderId.make(idOf(index)))
          const rows = yield* selectOrders(
            reads,
            ids.map((orderId) => ({ orderId, token: undefined }))
          )
          assert.deepStrictEqual(
            rows.map(({ fits, text }) => [fits, text !== null]),
            ids.map((_, index) => [index === 0, index === 0])
          )
          const found = yield* Effect.forEach(ids, (id) => queries.get(id), { concurrency: "unbounded" })
          assert.deepStrictEqual(
            found.map(({ order }) => order?.orderId),
            ids
          )
        })
    )
  })
})
