/**
 * Who polls `GET /orders?sort=updatedAt` and goes on by the cursor of each answer misses no order: not one that the view
 * had set aside, not one that was being stored, and after a restore the cursor says that history was lost.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { onTestFinished } from "vitest"
import { OrderViewProjection } from "../../../src/views/order/OrderViewProjection.ts"
import * as Cursor from "../../../src/projection/view/Cursor.ts"
import { orderId } from "../../../harness/clients/HttpClient.ts"
import { until } from "../../../harness/clocks/Until.ts"
import { poisoned } from "../../../harness/faults/PoisonedView.ts"
import { restoreLog } from "../../../harness/faults/RestoredLog.ts"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { orderView, place, type Shop, start } from "../../../harness/servers/AdminServer.ts"

interface Told {
  readonly orderId: string
  readonly version: number
}

/** Polls until nothing follows; answers what was told, as "order version" without the words of ids. */
const poller = ({ api }: Shop, limit = 100) => {
  let cursor: string | undefined
  const page = async () => {
    const at = cursor === undefined ? "" : `&cursor=${cursor}`
    const { body, status } = await api.get(`/orders?sort=updatedAt&limit=${limit}${at}`)
    assert.strictEqual(status, 200)
    cursor = body.page.next ?? body.page.resume
    const told = (body.data as ReadonlyArray<Told>).map(({ orderId, version }) => `${orderId} ${version}`)
    return { told, hasMore: body.page.hasMore as boolean }
  }
  const poll = async () => {
    const all: Array<string> = []
    for (let more = true; more;) {
      const { hasMore, told } = await page()
      all.push(...told)
      more = hasMore
    }
    return all
  }
  return { page, poll, cursor: () => cursor }
}

/** The view has everything that was stored, but for what is parked. */
const caughtUp = (shop: Shop) =>
  until(
    async () => orderView(await shop.operators.get("/admin/projections")),
    ({ behind, status }) => status === "live" && behind === 0
  )

/** A shop in which the cancellation of an order is parked, while others go on; and somebody who has polled before. */
const withParked = async (limit?: number) => {
  const { projection, state } = poisoned(({ type }) => type === "OrderCancelled")
  const shop = await start(projection)
  onTestFinished(shop.stop)
  const orderId = await place(shop, "wait")
  const poll = poller(shop, limit)
  assert.deepStrictEqual(await poll.poll(), [`${orderId} 2`])
  await shop.api.send("POST", `/orders/${orderId}/cancel`, { reason: "other" })
  const [stream] = await until(
    async () => (await shop.operators.get("/admin/parked")).body.data,
    ({ length }) => length > 0
  )
  const others = [await place(shop, "wait"), await place(shop, "wait"), await place(shop, "wait")]
  await caughtUp(shop)
  return { ...poll, shop, state, orderId, others, stream }
}

const ways: Readonly<Record<string, (parked: Awaited<ReturnType<typeof withParked>>) => Promise<unknown>>> = {
  "a retry": ({ shop, state, stream }) => {
    state.isFixed = true
    return shop.operators.send("POST", `/admin/parked/${stream.id}/retry`)
  },
  "a skip": ({ shop, stream }) => shop.operators.send("POST", `/admin/parked/${stream.id}/skip`, { version: 3 }),
  "a rebuild": async ({ shop, state }) => {
    state.isFixed = true
    await shop.operators.send("POST", "/admin/projections/order-view/rebuild")
    await until(
      async () => (await shop.operators.get("/admin/parked")).body.data,
      ({ length }) => length === 0
    )
  }
}

describe("an order that was parked and comes back", () => {
  it.each(Object.keys(ways))("is told to who had polled past it, after %s", async (way) => {
    const parked = await withParked()
    const { orderId, others, poll } = parked
    assert.deepStrictEqual(
      await poll(),
      others.map((other) => `${other} 2`)
    )
    // Nothing comes again for as long as it stays parked.
    assert.deepStrictEqual(await poll(), [])
    await ways[way]!(parked)
    const told = await poll()
    assert.strictEqual(told[0], `${orderId} 3`)
    assert.deepStrictEqual(
      told.slice(1),
      others.map((other) => `${other} 2`)
    )
    assert.deepStrictEqual(await poll(), [])
  })

  it("is told to who is between two pages, once and in its place", async () => {
    const parked = await withParked(1)
    const { orderId, others, page, poll } = parked
    assert.deepStrictEqual((await page()).told, [`${others[0]} 2`])
    assert.deepStrictEqual((await page()).told, [`${others[1]} 2`])
    await ways["a retry"]!(parked)
    assert.deepStrictEqual(await poll(), [`${orderId} 3`, ...others.map((other) => `${other} 2`)])
    assert.deepStrictEqual(await poll(), [])
  })
})

describe("orders that are being stored", () => {
  it("are told once they are, to who polled while an earlier append and a later one were in flight", async () => {
    let url = ""
    const database = Effect.tap(freshDatabase, (made) => Effect.sync(() => (url = made)))
    const shop = await start(OrderViewProjection, database)
    onTestFinished(shop.stop)
    const { poll } = poller(shop)
    const first = await place(shop, "wait")
    assert.deepStrictEqual(await poll(), [`${first} 2`])
    const copied = await shop.run(
      Effect.gen(function* () {
        // This session may be idle in its transaction for as long as the machine is held up.
        const sql = yield* connect(url)
        const copy = orderId()
        // Another process has stored the events of an order, with positions, and has not committed them yet.
        const later = yield* sql.withTransaction(
          Effect.gen(function* () {
            const [head] = yield* sql<{ readonly position: bigint }>`
              SELECT "position" FROM ordinal.log_head FOR UPDATE`
            yield* sql`INSERT INTO ordinal.events
              SELECT ${head!.position} + version, ${`order-${copy}`}, version, gen_random_uuid(), type, schema_version,
                replace(data::text, ${first}, ${copy})::jsonb, metadata, recorded_at
              FROM ordinal.events WHERE stream_id = ${`order-${first}`}`
            yield* sql`UPDATE ordinal.log_head SET "position" = "position" + 2`
            const later = yield* Effect.forkDetach(
              Effect.promise(() => place(shop)),
              { startImmediately: true }
            )
            for (let look = 0; look < 5; look++) assert.deepStrictEqual(yield* Effect.promise(poll), [])
            return later
          })
        )
        return [copy, yield* Fiber.join(later)]
      }).pipe(Effect.scoped)
    )
    await caughtUp(shop)
    assert.deepStrictEqual(
      await poll(),
      copied.map((orderId) => `${orderId} 2`)
    )
    assert.deepStrictEqual(await poll(), [])
  })
})

describe("a log that was restored", () => {
  it.each([
    ["ends before", 0],
    ["has grown past", 4]
  ])(
    "and %s where the list was read refuses the cursor; one from before goes on once the view is rebuilt",
    async (_, later) => {
      const shop = await start()
      onTestFinished(shop.stop)
      const { cursor, page, poll } = poller(shop, 1)
      const list = (after: string | undefined) => shop.api.get(`/orders?sort=updatedAt&cursor=${after}`)
      const kept = await place(shop, "wait")
      const token = (await shop.api.get(`/orders/${kept}`)).headers.get("consistency-token") ?? ""
      assert.deepStrictEqual(await poll(), [`${kept} 2`])
      const [known, position] = [cursor(), BigInt(token.split(".")[0]!)]
      await place(shop, "wait")
      const within = poller(shop, 1)
      // Its position is that of the order which is kept, and what the view held then is lost.
      await within.page()
      await page()
      const lost = [within.cursor(), cursor()]
      await shop.run(restoreLog(position))
      const placed: Array<string> = []
      while (placed.length < later) placed.push(await place(shop))
      for (const refused of lost) {
        const { body, status } = await list(refused)
        assert.deepStrictEqual([status, body.type], [400, "/problems/invalid-cursor"])
        assert.match(body.detail, /does not know position \d+.*history was lost.*Start again without a cursor/)
      }
      // What the view tells until then is of the history that was lost.
      for (const early of [known, Cursor.seal([{}, "updatedAt"], ["1"])])
        assert.strictEqual((await list(early)).status, 503)
      const asked = await shop.operators.send("POST", "/admin/projections/order-view/rebuild")
      assert.strictEqual(asked.status, 202, JSON.stringify(asked.body))
      const { body } = await until(
        () => list(known),
        ({ status }) => status === 200
      )
      assert.deepStrictEqual(
        (body.data as ReadonlyArray<Told>).map((told) => told.orderId),
        placed
      )
    }
  )

  it("takes the cursors of older programs, which only have a position", async () => {
    const shop = await start()
    onTestFinished(shop.stop)
    await place(shop, "wait")
    const { body } = await shop.api.get(`/orders?sort=updatedAt&cursor=${Cursor.seal([{}, "updatedAt"], ["1"])}`)
    assert.lengthOf(body.data, 1)
    assert.match(Buffer.from(body.page.resume, "base64url").toString(), /^1\|\d+\|\d+[.][0-9a-f]{12}\|\|/)
  })
})
