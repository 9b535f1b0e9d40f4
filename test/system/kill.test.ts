import { assert, describe, it } from "vitest"
import { type Plan, run } from "../../harness/campaigns/KillRounds.ts"
import { logFaults, sessionsEnded, storedEvents } from "../../harness/servers/Sql.ts"
import { embeddedDatabase, freshDatabase, sql } from "../../harness/servers/Resources.ts"

const load = { clients: 8, milliseconds: 400 }

const judge = async (plan: Plan) => {
  const { acknowledged, faults, unanswered } = await run(plan)
  assert.deepStrictEqual(faults, [])
  assert.isAbove(acknowledged, 10 * plan.rounds)
  assert.isAbove(unanswered, 0, "nothing was under way when the server was killed")
}

describe("kill -9 while orders are placed loses nothing that was acknowledged", () => {
  it("on PGlite", async () => {
    await judge({ ...load, rounds: 2, settings: { DATABASE_URL: await embeddedDatabase() }, needsCatalog: false })
  })

  it("on PostgreSQL", async () => {
    const url = await freshDatabase()
    const log = sql(url)
    const inspect = async () => {
      await sessionsEnded(log)
      return logFaults(await storedEvents(log))
    }
    await judge({ ...load, rounds: 3, settings: { DATABASE_URL: url }, needsCatalog: true, inspect })
  })
})
