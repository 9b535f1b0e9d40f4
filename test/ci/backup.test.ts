/**
 * The backup drill of docs/operating.md: a dump under load by the server's own pg_dump is restored into a new database, verified,
 * and served; whoever knows more than the dump has is told so.
 */
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, it, onTestFinished } from "vitest"
import { call } from "../../harness/clients/HttpClient.ts"
import * as OrderLoad from "../../harness/clients/OrderLoad.ts"
import { until, untilSo } from "../../harness/clocks/Until.ts"
import * as ViewJudge from "../../harness/judges/ViewJudge.ts"
import { directory, server, sql } from "../../harness/servers/Resources.ts"
import { launch } from "../../harness/servers/ServerProcess.ts"
import { freshDatabase } from "../../harness/servers/Sql.ts"
import * as StandbyPair from "../../harness/servers/StandbyPair.ts"
import { replica } from "../../harness/services/Replica.ts"
import { folderOf } from "../../harness/services/Service.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"

const fetched = () => replica.install(folderOf(replica.name)).then(StandbyPair.programs, () => undefined)
const bin = (await StandbyPair.programs()) ?? (await fetched())

const verify = async (url: string) => {
  const { errors, exit, output } = launch({ DATABASE_URL: url }, ["log", "verify"])
  return { code: (await exit).code, output: output(), errors: errors() }
}

ciSuite(
  "a dump under load can be restored",
  bin === undefined ? "there are no programs of PostgreSQL" : undefined,
  () => {
    it("it verifies, and tokens, positions and checkpoints beyond it are refused", async () => {
      const pair = await StandbyPair.start(bin!)
      onTestFinished(pair.stop)
      await pair.makeAsynchronous()
      const [{ url: source }, { url: restored }] = [await freshDatabase(pair.url), await freshDatabase(pair.url)]
      const first = await server({ DATABASE_URL: source })
      await OrderLoad.fill(first.url)
      const load = OrderLoad.start({ clients: 4, pause: 0, urls: () => [first.url] })
      await untilSo(() => load.acknowledged.length >= 100, { what: "Commands before the dump" })
      const before = [...load.acknowledged]
      const file = join(await directory(), "shop.dump")
      await promisify(execFile)(join(bin!, "pg_dump"), ["--format=custom", `--file=${file}`, source])
      await load.nextAcknowledged()
      await load.stop()
      assert.deepStrictEqual(load.faults, [])
      const beyond = load.token()
      const sourceSql = sql(source)
      await ViewJudge.caughtUp(sourceSql)
      await first.stop()

      await promisify(execFile)(join(bin!, "pg_restore"), ["--exit-on-error", `--dbname=${restored}`, file])
      const sound = await verify(restored)
      assert.strictEqual(sound.code, 0, sound.output)
      assert.match(sound.output, /The log .* has [\d,]+ events and no fault\./)
      const restoredSql = sql(restored)
      assert.deepStrictEqual(await ViewJudge.acknowledgedFaults(restoredSql, before), [])
      assert.isNotEmpty(await ViewJudge.acknowledgedFaults(restoredSql, load.acknowledged))

      const second = await server({ DATABASE_URL: restored })
      const listed = await call(second.url, "GET", "/orders", { headers: { "consistency-token": beyond } })
      assert.deepStrictEqual([listed.status, listed.body.type], [400, "/problems/invalid-token"])
      for (const headers of [{ "last-event-id": beyond }, {}]) {
        const { body, status } = await call(second.url, "GET", `/events?after=${beyond}`, { headers })
        assert.deepStrictEqual([status, body.type], [400, "/problems/invalid-position"])
      }
      await second.stop()

      // The view of another backup, which is newer than that of the log.
      const [ahead] = await sourceSql.rows<{ readonly position: bigint; readonly eventId: string }>(
        `SELECT "position", event_id AS "eventId" FROM ordinal.checkpoints WHERE projection = 'order-view'`
      )
      await restoredSql.rows(`UPDATE ordinal.checkpoints SET "position" = ${ahead!.position},
      event_position = ${ahead!.position}, event_id = '${ahead!.eventId}' WHERE projection = 'order-view'`)
      const unsound = await verify(restored)
      assert.strictEqual(unsound.code, 1)
      assert.match(
        unsound.errors,
        /The projection order-view has to be rebuilt: its checkpoint is at position \d+, but the log ends/
      )
      const third = await server({ DATABASE_URL: restored })
      const view = async () => {
        const { body } = await call(third.url, "GET", "/projections")
        return (body.data as ReadonlyArray<{ readonly name: string; readonly status: string }>).find(
          ({ name }) => name === "order-view"
        )
      }
      await until(view, (found) => found?.status === "stopped", { what: "The demand of a rebuild" })
      await call(third.adminUrl, "POST", "/admin/projections/order-view/rebuild", { body: {} })
      await until(view, (found) => found?.status === "live", { what: "The rebuilt view" })
      assert.deepStrictEqual((await ViewJudge.judge(restoredSql)).faults, [])
      const again = await verify(restored)
      assert.strictEqual(again.code, 0, again.output)
    })
  }
)
