import { assert, it } from "vitest"
import { run } from "../../../harness/campaigns/stock/StockCampaign.ts"
import { faultsIn, told } from "../../../harness/judges/StockJudge.ts"
import { freshDatabase, sql } from "../../../harness/servers/Resources.ts"
import { logFaults, storedEvents } from "../../../harness/servers/Sql.ts"

const { events } = told
const eventsWith = (quantity: string) => `
  SELECT "position", category, sku, type, version, ${quantity} AS quantity, reservation, command FROM (${events}) AS e`
const attemptsWith = (changes: Readonly<Record<string, string>>, which: string) => {
  const columns = ["kind", "sku", "quantity", "reservation", "outcome", "command", "version", "stock", "reserved"]
  const chosen = `ctid = (SELECT min(ctid) FROM attempts WHERE ${which})`
  const changed = [...columns, "before", "after"].map(
    (column) => `CASE WHEN ${chosen} THEN ${changes[column] ?? column} ELSE ${column} END AS ${column}`
  )
  return `SELECT ${changed.join(", ")} FROM attempts`
}
const last = (type: string) => `(SELECT max("position") FROM (${events}) AS e WHERE type = '${type}')`
const isRefused = `outcome = 'OutOfStock'`

/** What was told or stored is changed so in the eyes of the judge, who must see it. */
const damages: Readonly<Record<string, Partial<typeof told>>> = {
  "more is reserved than there is": {
    events: eventsWith(`CASE WHEN "position" = ${last("Reserved")} THEN 1000000 ELSE quantity END`)
  },
  "more is removed than is free": {
    events: eventsWith(`CASE WHEN "position" = ${last("Removed")} THEN 1000000 ELSE quantity END`)
  },
  "an event is lost": { events: `SELECT * FROM (${events}) AS e WHERE "position" <> ${last("Reserved")}` },
  "a refusal gives a stock that never was": { attempts: attemptsWith({ stock: "stock + 100000" }, isRefused) },
  "a refusal is of what was there": { attempts: attemptsWith({ quantity: "stock - reserved" }, isRefused) },
  "a refusal is of a state that came later": {
    attempts: attemptsWith({ before: "-2", after: "-1" }, isRefused)
  },
  "a stored command is told to be refused": {
    attempts: attemptsWith({ outcome: `'OutOfStock'` }, `kind = 'reserve' AND outcome = 'stored'`)
  },
  "a lost race is handed to the caller": { attempts: attemptsWith({ outcome: `'ConcurrencyConflict'` }, isRefused) },
  "another version is told": { attempts: attemptsWith({ version: "version + 1" }, `outcome = 'stored'`) },
  "a new reservation is taken for a known one": {
    attempts: attemptsWith({ outcome: `'nothing'` }, isRefused)
  },
  "a reservation is stored twice": {
    events: `${events} UNION ALL SELECT * FROM (${events}) AS e WHERE "position" = ${last("Reserved")}`
  }
}

it("16 writers in two processes never reserve more than there is, and every refusal is right at its position", async () => {
  const url = await freshDatabase()
  const log = sql(url)
  const seed = Date.now() % 1_000_000
  const figures = await run({ url, sql: log, processes: 2, writers: 16, attempts: 1_600, items: 4, seed })
  assert.strictEqual(figures.attempts, 1_600)
  assert.deepStrictEqual(await faultsIn(log), [], `seed ${seed}`)
  assert.deepStrictEqual(logFaults(await storedEvents(log)), [])
  assert.containsAllKeys(figures.outcomes, ["stored", "OutOfStock", "StillReserved"])

  for (const [damage, changed] of Object.entries(damages)) {
    assert.isNotEmpty(await faultsIn(log, { ...told, ...changed }), `not seen: ${damage}`)
  }
})
