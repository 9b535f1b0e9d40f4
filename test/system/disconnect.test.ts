import { connect } from "node:net"
import { assert, it, vi } from "vitest"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, fillCatalog, inParallel, list, orderId, type Receipt } from "../../harness/clients/HttpClient.ts"
import { logFaults, storedEvents } from "../../harness/servers/Sql.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"

const thousand = [{ lineId: "all", productId: "mug", quantity: 1_000 }]
const one = { items: [{ lineId: "all", quantity: 1 }] }

interface Sending {
  readonly path: string
  readonly body: object
  readonly isWhole: boolean
  /** Instead of closing the connection. */
  readonly resets: boolean
  /** After so many milliseconds; Infinity stands for the first byte of the answer. */
  readonly after: number
}

/** Sends half a request, or a whole one, and goes away without reading the answer. */
const goAway = (url: string, { after, body, isWhole, path, resets }: Sending) =>
  new Promise<void>((resolve) => {
    const text = JSON.stringify(body)
    const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n`
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => {
      socket.write(isWhole ? head + text : (head + text).slice(0, -5))
      const leave = () => (resets ? socket.resetAndDestroy() : socket.destroy())
      if (after === Infinity) socket.once("data", leave)
      else setTimeout(leave, after)
    })
    socket.once("close", () => resolve())
    socket.once("error", () => resolve())
  })

it("a caller who goes away in mid-command leaves no half effect and no stuck order", async () => {
  const database = await freshDatabase()
  const { output, url } = await server({ DATABASE_URL: database })
  await fillCatalog(url)
  const orders = Array.from({ length: 20 }, orderId)
  for (const order of orders) {
    const placed = await call(url, "POST", "/orders", { body: placement({ orderId: order, lines: thousand }) })
    assert.strictEqual(placed.status, 202)
  }

  // On known orders, and placements of orders that nobody has seen.
  const strangers = Array.from({ length: 200 }, orderId)
  const numbers = Array(strangers.length).keys()
  await inParallel(numbers, 32, async (number) => {
    const order = orders[number % orders.length]!
    const began = performance.now()
    // A patient caller of the same order, who must not suffer.
    const patient = await call(url, "POST", `/orders/${order}/shipments`, { body: one })
    assert.strictEqual(patient.status, 202, JSON.stringify(patient.body))
    const usual = performance.now() - began
    const isWhole = number % 7 !== 0
    const leaving = () => ({
      isWhole,
      resets: number % 3 === 0,
      after: isWhole && number % 2 === 0 ? Infinity : Math.random() * 2 * usual
    })
    await goAway(url, { ...leaving(), path: `/orders/${order}/shipments`, body: one })
    await goAway(url, { ...leaving(), path: "/orders", body: placement({ orderId: strangers[number] }) })
  })

  const acknowledged = new Map<string, Receipt>()
  await inParallel(orders, 8, async (order) => {
    const next = await call(url, "POST", `/orders/${order}/shipments`, { body: one })
    assert.strictEqual(next.status, 202, JSON.stringify(next.body))
    acknowledged.set(order, next.body as Receipt)
  })
  // What was abandoned may still be under way, so the log is read anew until the view has just that.
  const log = sql(database)
  const versionsOf = (streams: ReadonlyMap<string, ReadonlyArray<unknown>>) =>
    [...streams].flatMap(([stream, { length }]) =>
      stream.startsWith("order-") ? [`${stream.slice("order-".length)} ${length}`] : []
    )
  const { byStream, events } = await vi.waitFor(
    async () => {
      const events = await storedEvents(log)
      const byStream = Map.groupBy(events, (event) => event.stream)
      const rows = (await list(url)).map(({ orderId: order, version }) => `${order} ${version}`)
      assert.deepStrictEqual(rows.sort(), versionsOf(byStream).sort())
      return { byStream, events }
    },
    { timeout: 180_000, interval: 100 }
  )
  assert.deepStrictEqual(logFaults(events), [])
  const placed = strangers.filter((stranger) => byStream.has(`order-${stranger}`))
  for (const stranger of placed) {
    assert.deepStrictEqual(
      byStream.get(`order-${stranger}`)?.map((event) => event.type),
      ["OrderPlaced", "OrderConfirmed"]
    )
  }
  const isHalf = (_: string, index: number) => index % 7 === 0
  assert.isEmpty(strangers.filter((stranger, index) => isHalf(stranger, index) && byStream.has(`order-${stranger}`)))
  assert.isAbove(placed.length, 80)
  for (const [order, { commandId, version }] of acknowledged) {
    assert.strictEqual(byStream.get(`order-${order}`)?.[version - 1]?.commandId, commandId)
  }
  assert.notMatch(output(), /ERROR/)
})
