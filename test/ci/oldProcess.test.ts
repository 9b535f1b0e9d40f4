import { execFileSync } from "node:child_process"
import { assert, it, onTestFinished } from "vitest"
import * as HotOrders from "../../harness/campaigns/HotOrders.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import type { Operation } from "../../harness/clients/Operation.ts"
import { call, fillCatalog, type Receipt } from "../../harness/clients/HttpClient.ts"
import { keyedRequest } from "../../harness/fixtures/OldOrders.ts"
import { unpack } from "../../harness/fixtures/OldProgram.ts"
import { judgeRecording } from "../../harness/judges/HotOrdersJudge.ts"
import * as ViewJudge from "../../harness/judges/ViewJudge.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"
import { logFaults, storedEvents } from "../../harness/servers/Sql.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"

const tarMissing = () => {
  try {
    execFileSync("tar", ["--version"])
    return undefined
  } catch {
    return "there is no command tar to unpack the old program with"
  }
}

/**
 * The two have the same rules, but for the money of an order from which goods came back: the older program asks for the
 * price of these, too. So one half of the orders is paid for, and of the other half goods come back.
 */
const isSent = (order: number, { kind }: Operation) =>
  order % 2 === 0 ? kind !== "return" : kind !== "authorize" && kind !== "capture"

ciSuite("a process of an older program and one of today's share a PostgreSQL", tarMissing(), () => {
  it.each(["old", "new"] as const)("the %s one starts first", async (first) => {
    const program = await unpack()
    onTestFinished(program.remove)
    const database = await freshDatabase()
    const settings = { DATABASE_URL: database }
    const start = { old: () => server(settings, program.command), new: () => server(settings) }
    const servers = [await start[first](), await start[first === "old" ? "new" : "old"]()]
    const urls = servers.map(({ url }) => url)
    await fillCatalog(urls[0]!)

    // What one has answered, the other answers again.
    const answered = await keyedRequest(urls[0]!)
    const replayed = await keyedRequest(urls[1]!)
    assert.strictEqual(answered.status, 202)
    assert.deepStrictEqual([replayed.status, replayed.body], [answered.status, answered.body])
    assert.strictEqual(replayed.headers.get("idempotent-replayed"), "true")

    const isEnough = (attempts: number) => attempts >= 1_000
    const recording = await HotOrders.run({ urls, orders: 10, clients: 16, isEnough, isSent, seed })
    const { accepted, faults, overtaken } = judgeRecording(recording)
    assert.deepStrictEqual(faults, [], `seed ${seed}`)
    assert.isAbove(accepted, 100)
    assert.isAbove(overtaken, 0, "the clients never met")

    // The old one reads the view that the new one makes; without the old one, it stays the fold of the log.
    const [theirs, ours] = first === "old" ? [0, 1] : [1, 0]
    await servers[theirs]!.kill()
    const { body, status } = await call(urls[ours]!, "POST", "/orders", { body: placement() })
    assert.strictEqual(status, 202)
    const opened = sql(database)
    const { position } = await ViewJudge.caughtUp(opened)
    assert.strictEqual(position, (body as Receipt).position)
    assert.deepStrictEqual(logFaults(await storedEvents(opened)), [])
    assert.deepStrictEqual((await ViewJudge.judge(opened)).faults, [])
  })
})
