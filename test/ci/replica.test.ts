/** Reads on a real streaming replica: late, away, promoted, and after a failover. */
import { assert, it, onTestFinished } from "vitest"
import * as ReplicaReads from "../../harness/campaigns/ReplicaReads.ts"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import * as OrderLoad from "../../harness/clients/OrderLoad.ts"
import { until, untilSo } from "../../harness/clocks/Until.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { server, sql } from "../../harness/servers/Resources.ts"
import * as StandbyPair from "../../harness/servers/StandbyPair.ts"
import { replica } from "../../harness/services/Replica.ts"
import { folderOf } from "../../harness/services/Service.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"

const fetched = () => replica.install(folderOf(replica.name)).then(StandbyPair.programs, () => undefined)
const bin = (await StandbyPair.programs()) ?? (await fetched())

const pair = async () => {
  const started = await StandbyPair.start(bin!)
  onTestFinished(started.stop)
  return started
}

const reader = ({ standbyUrl, url }: StandbyPair.StandbyPair) =>
  server({ DATABASE_URL: url, DATABASE_REPLICA_URL: standbyUrl })

/** The order view at the standby, which is read past the server. */
const viewAt = async (url: string) => {
  const view = sql(url)
  return async () => {
    const [row] = await view.rows<{ readonly position: string }>(
      `SELECT "position"::text AS position FROM ordinal.checkpoints WHERE projection = 'order-view' AND slot = 'live'`
    )
    return Number(row?.position ?? 0)
  }
}

const place = async (url: string) => {
  const answer = await call(url, "POST", "/orders", { body: placement() })
  assert.strictEqual(answer.status, 202, answer.text)
  const token = answer.headers.get("consistency-token")!
  return { orderId: answer.body.orderId as string, token, position: Number.parseInt(token, 10) }
}

ciSuite("orders are read on a replica", bin === undefined ? "there is no pg_basebackup" : undefined, () => {
  it("that is 2 s late, and no read with a token is ever stale; once it keeps up, it answers", async () => {
    const both = await pair()
    const served = await reader(both)
    await OrderLoad.fill(served.url)
    const watched = ReplicaReads.start(served)
    await ReplicaReads.untilAnswered(served, 50)

    await both.delay(2_000)
    await untilSo(() => ReplicaReads.said(served).at(-1) === "fails", { what: "The line that it is late" })
    const before = watched.readBack()
    await untilSo(() => watched.readBack() >= before + 100, { what: "Reads with tokens while the replica is late" })
    const view = await viewAt(both.standbyUrl)
    const isLate = async () => (await place(served.url)).position > (await view())
    await untilSo(isLate, { what: "An order that the replica does not have yet" })

    await both.delay(0)
    await untilSo(() => ReplicaReads.said(served).at(-1) === "works", { what: "The line that it keeps up" })
    await ReplicaReads.untilAnswered(served, 50)
    await watched.stop()
    assert.deepStrictEqual(watched.faults(), [])
  })

  it("that goes and comes back, which the log says once each; the server also starts without it", async () => {
    const both = await pair()
    await both.makeAsynchronous()
    const first = await reader(both)
    await OrderLoad.fill(first.url)
    const watched = ReplicaReads.start(first)
    await ReplicaReads.untilAnswered(first, 20)
    await both.stopStandby()
    await ReplicaReads.untilPrimary(first, 50)
    const said = ReplicaReads.said(first)
    assert.strictEqual(said.at(-1), "fails")

    const second = await reader(both)
    const { orderId, token } = await place(second.url)
    const headers = { "consistency-token": token, prefer: "wait=30" }
    assert.strictEqual((await call(second.url, "GET", `/orders/${orderId}`, { headers })).status, 200)
    await untilSo(() => ReplicaReads.said(second).length === 1, { what: "The line that it is away" })

    await ReplicaReads.untilPrimary(first, 50)
    assert.deepStrictEqual(ReplicaReads.said(first), said)
    await both.startStandby()
    await ReplicaReads.untilAnswered(first, 20)
    await untilSo(() => ReplicaReads.said(first).at(-1) === "works", { what: "The line that it is back" })
    await untilSo(() => ReplicaReads.said(second).at(-1) === "works", { what: "The line that it is back" })
    await watched.stop()
    assert.deepStrictEqual(watched.faults(), [])
  })

  it("that stands still: reads go to the primary, and come back once it goes on", async () => {
    const both = await pair()
    await both.makeAsynchronous()
    const served = await reader(both)
    await OrderLoad.fill(served.url)
    const watched = ReplicaReads.start(served)
    await ReplicaReads.untilAnswered(served, 20)
    both.pauseStandby()
    await ReplicaReads.untilPrimary(served, 50)
    both.resumeStandby()
    await ReplicaReads.untilAnswered(served, 20)
    await watched.stop()
    assert.deepStrictEqual(watched.faults(), [])
  })

  it("that was promoted beside the primary: what is written there is never shown", async () => {
    const both = await pair()
    const served = await reader(both)
    await fillCatalog(served.url)
    const { orderId } = await place(served.url)
    await both.makeAsynchronous()
    await both.promoteBeside()
    await untilSo(() => ReplicaReads.said(served).at(-1) === "fails", { what: "The line that it was promoted" })
    assert.match(served.output(), /Reading the replica fails.+it was promoted/)
    const other = await server({ DATABASE_URL: both.standbyUrl })
    const foreign = await place(other.url)
    const own = await place(served.url)
    assert.strictEqual(own.position, foreign.position)
    assert.strictEqual((await call(served.url, "GET", `/orders/${foreign.orderId}`)).status, 404)
    assert.strictEqual((await call(served.url, "GET", `/orders/${orderId}`)).status, 200)
    const headers = { "consistency-token": foreign.token }
    const refused = await call(served.url, "GET", `/orders/${own.orderId}`, { headers })
    assert.strictEqual(refused.status, 400)
  })

  it("whose promotion loses what it had not got: the tokens of that are refused", async () => {
    const both = await pair()
    const served = await reader(both)
    await fillCatalog(served.url)
    const kept = await place(served.url)
    const headers = { "consistency-token": kept.token, prefer: "wait=30" }
    assert.strictEqual((await call(served.url, "GET", `/orders/${kept.orderId}`, { headers })).status, 200)
    await both.makeAsynchronous()
    await both.disconnect()
    const lost = await place(served.url)
    await both.loseFirst()
    await both.promote()

    // The server comes back by itself; meanwhile it answers that it is away.
    const again = await until(
      () => call(served.url, "POST", "/orders", { body: placement() }),
      ({ status }) => status === 202,
      { what: "An order after the failover", pause: 100 }
    )
    assert.isAtLeast(Number.parseInt(again.headers.get("consistency-token")!, 10), lost.position)
    const read = (token: string) =>
      call(served.url, "GET", `/orders/${kept.orderId}`, { headers: { "consistency-token": token, prefer: "wait=10" } })
    const refused = await until(
      () => read(lost.token),
      ({ status }) => status !== 503,
      { pause: 100 }
    )
    assert.strictEqual(refused.status, 400, refused.text)
    const right = await until(
      () => read(kept.token),
      ({ status }) => status !== 503,
      { pause: 100 }
    )
    assert.strictEqual(right.status, 200, right.text)
    assert.strictEqual((await call(served.url, "GET", `/orders/${lost.orderId}`)).status, 404)
  })
})
