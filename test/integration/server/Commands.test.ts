/** The commands that ask a running server, at both ports of one, as `ordinal` runs them. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect, Sink, Stream } from "effect"
import { ordinal as run } from "../../../harness/cli/RunCommand.ts"
import { until } from "../../../harness/clocks/Until.ts"
import { poisoned } from "../../../harness/faults/PoisonedView.ts"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { freePort } from "../../../harness/servers/FreePort.ts"
import { Database } from "../../../src/database/Database.ts"
import { open } from "../../../harness/servers/Sql.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { place, type Shop, start } from "../../../harness/servers/AdminServer.ts"

describe("the command line asks a running server", () => {
  const { projection, state } = poisoned(({ type }) => type === "OrderCancelled")
  let shop: Shop
  let orderId: string
  beforeAll(async () => {
    shop = await start(projection)
    orderId = await place(shop, "wait")
  })
  afterAll(() => shop.stop())

  const ordinal = (command: string, stdio: Parameters<typeof run>[2] = {}) =>
    Effect.runPromise(run(command.split(" "), { ORDINAL_URL: shop.url, ORDINAL_ADMIN_URL: shop.operators.url }, stdio))
  /** Runs a command that prints one document and nothing else. */
  const json = async (command: string, stdio: Parameters<typeof run>[2] = {}) => {
    const { code, errors, out } = await ordinal(`${command} --json`, stdio)
    assert.deepStrictEqual([code, errors], [0, ""])
    return JSON.parse(out)
  }
  const refused = async (command: string) => {
    const { code, errors, out } = await ordinal(command)
    assert.deepStrictEqual([code, out], [1, ""])
    return errors
  }

  it("orders show and history print an order and its events, for people and as JSON", async () => {
    assert.containSubset(await json(`orders show ${orderId}`), { orderId, version: 2, status: "confirmed" })
    assert.containSubset(await json(`orders show ${orderId} --at=1`), { orderId, version: 1, status: "placed" })
    assert.match((await ordinal(`orders show ${orderId}`)).out, /^status: confirmed$/m)
    const events = await json(`orders history ${orderId}`)
    assert.deepStrictEqual(
      events.map(({ type }: { readonly type: string }) => type),
      ["order.placed.v1", "order.confirmed.v1"]
    )
    assert.match((await ordinal(`orders history ${orderId}`)).out, /^1 .* order\.placed\.v1 .*\n2 .* order\.confirmed/)
    const missing = "ord_0190b3f4-0000-7000-8000-000000000000"
    assert.match(await refused(`orders show ${missing}`), new RegExp(`The order can't be shown\\. .*${missing}`))
  })

  it("orders place places the order of the standard input once under its key, and says what is wrong with another", async () => {
    const stdin = Stream.make(new TextEncoder().encode(JSON.stringify(placement())))
    const placed = await json("orders place - --idempotency-key=one", { stdin })
    assert.strictEqual((await json("orders place - --idempotency-key=one", { stdin })).orderId, placed.orderId)
    assert.include((await ordinal("orders place -", { stdin })).out, "Placed ord_")
    assert.match(await refused("orders place /nowhere/order.json"), /The order was not placed\. .*order\.json/)
    const wrong = Stream.make(new TextEncoder().encode("{}"))
    assert.match((await ordinal("orders place -", { stdin: wrong })).errors, /The order was not placed\. .*customerId/)
  })

  it("tail prints events of the past and ends, if it is to follow no new ones", async () => {
    const { code, out } = await ordinal(`tail --after=0 --no-follow --json --order=${orderId}`)
    assert.strictEqual(code, 0)
    const events = out.split("\n").map((line) => JSON.parse(line))
    assert.containSubset(events, [
      { subject: orderId, type: "order.placed.v1" },
      { subject: orderId, type: "order.confirmed.v1" }
    ])
    assert.lengthOf(events, 2)
    const lines = await ordinal(`tail --after=0 --no-follow --order=${orderId} --type=order.confirmed.v1`)
    assert.match(lines.out, /^\S+ \d+ order\.confirmed\.v1 order-ord_\S+ v2\b/)
    assert.match(
      await refused("tail --after=1000000 --no-follow"),
      /can't be followed\. .*does not know position 1000000/
    )
    assert.strictEqual((await ordinal("tail --after=soon")).code, 2)
  })

  it("projections list, pause and resume tell how each projection is", async () => {
    assert.containSubset(await json("projections list"), { data: [{ name: "order-view" }, { name: "catalog-view" }] })
    assert.match((await ordinal("projections list")).out, /^NAME .*\ncatalog-view .*\norder-view /)
    assert.containSubset(await json("projections pause catalog-view"), { name: "catalog-view", status: "paused" })
    assert.match((await ordinal("projections resume catalog-view")).out, /^catalog-view +projection/)
    assert.match(await refused("projections pause nothing"), /nothing is as it was\. .*"nothing"/)
  })

  it("projections rebuild follows a rebuild to its end: on a terminal by a bar, elsewhere by lines", async () => {
    const { code, errors, out } = await ordinal("projections rebuild catalog-view")
    assert.deepStrictEqual([code, out.split(":")[0]], [0, "Rebuilt catalog-view"], errors)
    assert.match(errors, /^100 % {2}\d+ of \d+ events, \d+\/s/m)
    const drawn: Array<string> = []
    const stderr = () => Sink.forEach((text: string | Uint8Array) => Effect.sync(() => drawn.push(String(text))))
    await ordinal("projections rebuild catalog-view", { stderr, stderrIsTerminal: Effect.succeed(true) })
    const last = drawn.join("").split("\r\u001B[K").at(-1) ?? ""
    assert.match(last, /^\[#{30}\] 100 % {2}\d+ of \d+ events, \d+\/s.*\n$/)
    assert.containSubset(await json("projections rebuild catalog-view"), { state: "completed" })
  })

  it("projections audit says that a view is right, and fails where it is not", async () => {
    assert.match(
      (await ordinal("projections audit order-view")).out,
      /^\d+ rows of order-view are what the log says\.$/
    )
    assert.containSubset(await json(`projections audit order-view --stream=order-${orderId}`), {
      compared: 1,
      data: []
    })
    const bent = await place(shop, "wait")
    await shop.run(
      Effect.flatMap(
        Database,
        ({ reads }) => reads`UPDATE ordinal.order_view SET status = 'bent' WHERE order_id = ${bent}`
      )
    )
    const { code, errors, out } = await ordinal(`projections audit order-view --stream=order-${bent}`)
    assert.strictEqual(code, 1)
    assert.match(out, new RegExp(`^STREAM .*\norder-${bent} +different +status +"bent" +"confirmed"$`))
    assert.match(errors, /The audit of order-view did not end well\. 1 differences in 1 rows\. Repair them, or rebuild/)
  })

  it("parked list, show, retry and skip bring a parked stream back", async () => {
    assert.strictEqual((await ordinal("parked list")).out, "No stream is parked.")
    const other = await place(shop, "wait")
    // One after the other: an event is poison only while others get through.
    const park = async (id: string, all: number) => {
      await shop.api.send("POST", `/orders/${id}/cancel`, { reason: "other" })
      return until(
        () => json("parked list"),
        ({ data }) => data.length === all
      )
    }
    await park(orderId, 1)
    const { data } = await park(other, 2)
    const idOf = (order: string): string =>
      data.find(({ streamId }: { readonly streamId: string }) => streamId === `order-${order}`).id
    assert.match((await ordinal("parked list")).out, /order-view +order-ord_\S+ +parked at 3 +.*poison/)
    assert.containSubset(await json(`parked show ${idOf(orderId)}`), { version: 3, parked: true })
    assert.match((await ordinal(`parked show ${idOf(orderId)}`)).out, /^version: 3$/m)
    assert.match(await refused(`parked retry ${idOf(orderId)}`), /The stream stays parked\. .*poison/)
    assert.match(await refused(`parked skip ${idOf(other)} --at=2`), /Nothing was skipped\. .*at its version 3/)
    assert.containSubset(await json(`parked skip ${idOf(other)} --at=3`), { outcome: "skipped" })
    state.isFixed = true
    assert.strictEqual((await ordinal(`parked retry ${idOf(orderId)}`)).out, "What was held back is applied.")
    assert.match(await refused(`parked show ${idOf(orderId)}`), /No stream is parked under/)
  })

  it("seed places as many orders as asked, at a server or in a database, and tells its rate", async () => {
    const { out } = await ordinal(`seed --orders=20 --url=${shop.url}`)
    assert.match(out, /^Placed 20 orders in \d+\.\d s: \d+\/s\.$/)
    const fresh = async (url: string) => {
      assert.containSubset(await json(`seed --orders=20 --database-url=${url}`), { orders: 20 })
      const database = open(url)
      const rows = await database.rows(
        `SELECT type, count(*)::integer AS events FROM ordinal.events WHERE type IN ('OrderPlaced', 'OrderCancelled')
          GROUP BY type ORDER BY type`
      )
      await database.close()
      assert.deepStrictEqual(rows, [
        { type: "OrderCancelled", events: 2 },
        { type: "OrderPlaced", events: 20 }
      ])
    }
    await Effect.runPromise(Effect.scoped(Effect.flatMap(freshDatabase, (url) => Effect.promise(() => fresh(url)))))
    assert.strictEqual((await ordinal("seed --orders=0")).code, 2)
  })

  it("what a command logs is on stderr, so that its result stands alone", async () => {
    const { code, errors, out } = await ordinal("migrate --database-url=pglite:memory")
    assert.strictEqual(code, 0, errors)
    assert.match(out, /^Migrated the database: .*\.$/)
    assert.match(errors, /kept in memory only/)
  })

  it("a server that is away, or none at all, fails with a sentence that says what to do", async () => {
    const url = `http://127.0.0.1:${await freePort()}`
    const sentence = new RegExp(`No server answers at ${url} \\(.*ECONNREFUSED.*\\)\\. Start one by .ordinal serve`)
    assert.match(await refused(`projections list --admin-url=${url}`), sentence)
    assert.match(await refused(`orders show ${orderId} --url=${url}`), sentence)
    assert.match(await refused(`tail --url=${url}`), /no connection/)
    assert.strictEqual((await ordinal("orders show x --url=nowhere")).code, 2)
    assert.strictEqual((await ordinal("orders")).code, 2)
  })
})
