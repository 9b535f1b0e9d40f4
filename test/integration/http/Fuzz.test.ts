import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { run } from "../../../harness/campaigns/hostile/HostileCampaign.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"
import { seed } from "../../../harness/fixtures/SeededRandom.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

it("hostile requests never end in a 5xx, in silence, or in an error that is no problem document", async () => {
  const { faults, statuses } = await run({ url: server.url, requests: 2_000, seed, concurrency: 16 })
  assert.deepStrictEqual(faults.slice(0, 3), [])
  // Nothing would be proved if every request had been refused before it was decoded.
  for (const status of [200, 202, 400, 404, 405, 409, 415]) assert.isAbove(statuses[status] ?? 0, 5, `${status}`)
})
