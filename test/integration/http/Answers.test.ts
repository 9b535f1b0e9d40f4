/** What does not fit the answer's schema is never answered as something else, such as 304 or an empty list. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { HttpApi, type HttpApiEndpoint, HttpApiSchema } from "effect/http-api"
import { AdminApi } from "../../../src/http/admin/AdminApi.ts"
import { Api } from "../../../src/http/api/Api.ts"
import { OrderId, ProductId } from "../../../src/order/OrderId.ts"
import type { Orders } from "../../../src/orders/Orders.ts"
import type { OrderView } from "../../../src/views/order/OrderView.ts"
import { ada, mug, placement } from "../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { type Options, start, stub } from "../../../harness/servers/ApiServer.ts"

const orderId = OrderId.make("ord_01890000-0000-7000-8000-000000000000")
const path = `/orders/${orderId}`
const token = "1.x"
const freshness = { position: 1n, behind: 0, lag: 0, parked: 0 }

/** A row as the view may hold it after somebody has changed it by hand. */
const broken: ReadonlyArray<Partial<Record<keyof OrderView, unknown>>> = [
  { status: "lost" },
  { lines: null },
  { version: "1" },
  { customerName: undefined },
  { totals: {} }
]

const placed = async () => {
  const server = await withCatalog(await start())
  const { body } = await server.send("POST", "/orders", placement(), { prefer: "wait=30" })
  await server.stop()
  return body as OrderView
}

const receipt = {
  orderId,
  version: 1,
  position: 1n,
  commandId: "c",
  status: "placed",
  paymentStatus: "unpaid",
  events: ["order.placed.v1"],
  token,
  replayed: false
}

const on = async (
  methods: object,
  test: (server: Awaited<ReturnType<typeof start>>) => Promise<void>,
  logs?: Options["logs"]
) => {
  const orders = stub(methods as Partial<Orders["Service"]>)
  const server = await start({ orders, ...(logs === undefined ? {} : { logs }) })
  try {
    await test(server)
  } finally {
    await server.stop()
  }
}

describe("a row that does not fit its schema", () => {
  it("is a defect that is logged, whichever version the caller has", async () => {
    const order = await placed()
    for (const change of broken) {
      const logs: Array<string> = []
      const row = { ...order, ...change }
      const answer = () => Effect.succeed({ order: row, freshness, token })
      const list = () => Effect.succeed({ orders: [row], hasMore: false, freshness, token })
      await on(
        { get: answer, list, at: () => Effect.succeed(row) },
        async (server) => {
          for (const [url, headers] of [
            [path, {}],
            [path, { "if-none-match": '"1"' }],
            [path, { "if-none-match": "*" }],
            [`${path}/versions/1`, {}],
            ["/orders", {}]
          ] as const) {
            const { body, status } = await server.get(url, headers)
            assert.deepStrictEqual(
              [status, body?.type],
              [500, "/problems/internal"],
              `${url} ${JSON.stringify(change)}`
            )
          }
        },
        (line) => logs.push(line)
      )
      assert.isAtLeast(logs.filter((line) => /does not fit its schema|is no order/.test(line)).length, 4)
    }
  })

  it("of a product or customer is one, too", async () => {
    const kept = { version: 1, withdrawn: false, token }
    const product = () => Effect.succeed({ ...kept, ...mug, productId: ProductId.make("mug"), currency: 7 })
    const customer = () => Effect.succeed({ ...kept, ...ada, customerId: "ada", email: 7 })
    await on({ product, customer }, async (server) => {
      for (const url of ["/products/mug", "/customers/ada"]) {
        assert.strictEqual((await server.get(url)).status, 500, url)
      }
    })
  })

  it("does not hide that a command is stored: the answer is the receipt", async () => {
    const order = { ...(await placed()), status: "lost" }
    await on(
      { place: () => Effect.succeed(receipt), get: () => Effect.succeed({ order, freshness, token }) },
      async (server) => {
        const { body, status } = await server.send("POST", "/orders", placement(), { prefer: "wait=1" })
        assert.deepStrictEqual([status, body.orderId], [202, orderId])
      }
    )
  })
})

describe("every endpoint with several answers", () => {
  it("has none that takes whatever does not fit the others", () => {
    let tried = 0
    const tryAll = (endpoint: HttpApiEndpoint.Top) => {
      const answers = [...endpoint.success]
      if (answers.length < 2) return
      for (const answer of answers) {
        const body = HttpApiSchema.isWithHeaders(answer) ? answer.schema : answer
        for (const value of [{ nonsense: true }, [], "x", 0, null]) {
          const exit = Schema.encodeUnknownExit(body as unknown as Schema.Codec<unknown>)(value)
          assert.isTrue(Exit.isFailure(exit), `${endpoint.method} ${endpoint.path} takes ${JSON.stringify(value)}`)
          tried++
        }
      }
    }
    for (const api of [Api, AdminApi]) {
      HttpApi.reflect(api as typeof Api, { onGroup: () => {}, onEndpoint: ({ endpoint }) => tryAll(endpoint) })
    }
    assert.isAbove(tried, 100)
  })
})
