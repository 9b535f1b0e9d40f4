import { Effect } from "effect"
import { assert, it } from "vitest"
import { connect } from "../../harness/servers/FreshDatabase.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, fillCatalog, history, inParallel, orderId, slug } from "../../harness/clients/HttpClient.ts"
import { logFaults, storedEvents } from "../../harness/servers/Sql.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"

const units = (quantity: number) => [{ lineId: "all", productId: "mug", quantity }]
const one = { items: [{ lineId: "all", quantity: 1 }] }

/**
 * Ships one unit that many times at once, and keeps the log locked until one of them is refused: however slowly they
 * come, some find no room. The answers by status, the refusals looked at.
 */
const storm = async (url: string, database: string, order: string, times: number) => {
  const isRefused = Promise.withResolvers<void>()
  const ship = async () => {
    const answer = await call(url, "POST", `/orders/${order}/shipments`, { body: one })
    if (answer.status !== 202) isRefused.resolve()
    return answer
  }
  const asked: Array<ReturnType<typeof ship>> = []
  await Effect.gen(function* () {
    const log = yield* connect(database)
    yield* log`SELECT FROM ordinal.log_head FOR UPDATE`.pipe(
      Effect.andThen(Effect.sync(() => asked.push(...Array.from({ length: times }, ship)))),
      Effect.andThen(Effect.promise(() => isRefused.promise)),
      log.withTransaction
    )
  }).pipe(Effect.scoped, Effect.runPromise)
  const answers = await Promise.all(asked)
  const refused = answers.filter(({ status }) => status !== 202)
  for (const answer of refused) {
    assert.strictEqual(answer.status, 503)
    assert.strictEqual(slug(answer), "overloaded")
    assert.match(answer.headers.get("retry-after") ?? "", /^[1-9]\d*$/)
  }
  return { accepted: answers.length - refused.length, refused: refused.length }
}

it.each([
  ["a full mailbox", { MAILBOX: "4", DRAIN: "1" }],
  ["too much in flight", { IN_FLIGHT: "4" }]
])("%s is refused with 503 and Retry-After; what was refused is not done", async (_, settings) => {
  const database = await freshDatabase()
  const { url } = await server({ ...settings, COMMAND_DEADLINE: "60 seconds", DATABASE_URL: database })
  await fillCatalog(url)
  const order = orderId()
  await call(url, "POST", "/orders", { body: placement({ orderId: order, lines: units(1_000) }) })

  const { accepted, refused } = await storm(url, database, order, 200)

  assert.isAbove(accepted, 0)
  assert.isAbove(refused, 0)
  assert.lengthOf((await history(url, order)) ?? [], 2 + accepted)
  const next = await call(url, "POST", `/orders/${order}/shipments`, { body: one })
  assert.strictEqual(next.status, 202)
})

it("orders that leave memory after 1 ms lose no command and no reply", async () => {
  const database = await freshDatabase()
  const { url } = await server({ IDLE: "1 millis", DATABASE_URL: database })
  await fillCatalog(url)
  const orders = Array.from({ length: 40 }, orderId)
  const place = (order: string) =>
    call(url, "POST", "/orders", { body: placement({ orderId: order, lines: units(1_000) }) })
  for (const { status } of await Promise.all(orders.map(place))) assert.strictEqual(status, 202)

  const replies = new Map(orders.map((order) => [order, [] as Array<number>]))
  await inParallel(Array(800).keys(), 24, async (number) => {
    const order = orders[(number * 7) % orders.length]!
    const answer = await call(url, "POST", `/orders/${order}/shipments`, { body: one })
    assert.strictEqual(answer.status, 202, JSON.stringify(answer.body))
    replies.get(order)?.push((answer.body as { readonly version: number }).version)
  })

  const expected = Array.from({ length: 20 }, (_, index) => index + 3)
  for (const versions of replies.values()) {
    assert.deepStrictEqual(
      versions.sort((left, right) => left - right),
      expected
    )
  }
  assert.deepStrictEqual(logFaults(await storedEvents(sql(database))), [])
})

it("one connection each for appending, for views and for reading is enough", async () => {
  const database = await freshDatabase()
  const pools = { POOL_APPEND: "1", POOL_PROJECTIONS: "1", POOL_READS: "1" }
  const { url } = await server({ ...pools, DATABASE_URL: database })
  await fillCatalog(url)
  await inParallel(Array(200).keys(), 32, async () => {
    const headers = { prefer: "wait=30" }
    const placed = await call(url, "POST", "/orders", { body: placement(), headers })
    assert.strictEqual(placed.status, 201, JSON.stringify(placed.body))
    const { orderId: order } = placed.body as { readonly orderId: string }
    const [events, listed] = await Promise.all([history(url, order), call(url, "GET", "/orders?limit=5")])
    assert.lengthOf(events ?? [], 2)
    assert.strictEqual(listed.status, 200)
  })
  assert.deepStrictEqual(logFaults(await storedEvents(sql(database))), [])
})
