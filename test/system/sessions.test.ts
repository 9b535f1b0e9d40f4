import { assert, it } from "vitest"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { run } from "../../harness/campaigns/Sessions.ts"
import { freshDatabase, server } from "../../harness/servers/Resources.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"

it("a session that keeps the greatest token reads its writes and never goes back, at two servers in turn", async () => {
  const url = await freshDatabase()
  // The lease lets one of them run the projection; the other only reads what it makes.
  const servers = await Promise.all([server({ DATABASE_URL: url }), server({ DATABASE_URL: url })])
  const urls = servers.map((server) => server.url)
  await fillCatalog(urls[0]!)
  const plan = { urls, sessions: 6, writers: 4 }

  const { behind, faults, reads } = await run({ ...plan, rounds: 25, seed, sendsTokens: true })
  assert.deepStrictEqual(faults, [], `seed ${seed}`)
  assert.strictEqual(reads, 6 * 25 * 2)
  assert.isBelow(behind, reads / 10)

  // Whoever sends none is sure to read what is old while the view stands still.
  const paused = await call(servers[0]!.adminUrl, "POST", "/admin/projections/order-view/pause")
  assert.strictEqual(paused.status, 200)
  const careless = await run({ ...plan, rounds: 5, seed: seed + 1_000, sendsTokens: false })
  assert.isNotEmpty(careless.faults)
})
