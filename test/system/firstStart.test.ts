import { readdir } from "node:fs/promises"
import { assert, describe, it } from "vitest"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, fillCatalog, list } from "../../harness/clients/HttpClient.ts"
import { type Environment, launch } from "../../harness/servers/ServerProcess.ts"
import { directory, freshDatabase, server } from "../../harness/servers/Resources.ts"

/** Kills it that long after it was started, or after it began to write if it is told how to see that. */
const killAfter = async (settings: Environment, milliseconds: number, began = async () => true) => {
  const { child, exit, output } = launch({ PORT: "0", ADMIN_PORT: "0", ...settings })
  const deadline = performance.now() + 20_000
  while (performance.now() < deadline && child.exitCode === null && !(await began()));
  const timer = setTimeout(() => child.kill("SIGKILL"), milliseconds)
  const { signal } = await exit
  clearTimeout(timer)
  assert.strictEqual(signal, "SIGKILL", `the kill before it did harm: ${output()}`)
}

const timeOf = async (work: Promise<unknown>) => {
  const began = performance.now()
  await work
  return performance.now() - began
}

const servesOrders = async (settings: Environment, needsCatalog: boolean) => {
  const { url } = await server(settings)
  if (needsCatalog) await fillCatalog(url)
  const { headers, status } = await call(url, "POST", "/orders", { body: placement() })
  assert.strictEqual(status, 202)
  assert.lengthOf(await list(url, { token: headers.get("consistency-token")! }), 1)
}

const kills = 4

describe("kill -9 during the very first start never harms the next one", () => {
  it("on PGlite", async () => {
    const undisturbed = await timeOf(server({ DATABASE_URL: `pglite:${await directory()}` }))
    const path = await directory()
    const written = async () => (await readdir(path)).filter((name) => name.startsWith("data"))
    // Spread over the writing of a new database, at random within each part of it.
    for (let kill = 0; kill < kills; kill++) {
      const before = await written()
      const began = async () => (await written()).some((name) => !before.includes(name))
      const moment = (0.6 * undisturbed * (kill + Math.random())) / kills
      await killAfter({ DATABASE_URL: `pglite:${path}` }, moment, before.includes("data") ? undefined : began)
    }
    await servesOrders({ DATABASE_URL: `pglite:${path}` }, false)
  })

  it("on PostgreSQL", async () => {
    const undisturbed = await timeOf(server({ DATABASE_URL: await freshDatabase() }))
    const settings = { DATABASE_URL: await freshDatabase() }
    for (let kill = 0; kill < kills; kill++) {
      await killAfter(settings, undisturbed * (0.3 + (0.7 * (kill + Math.random())) / kills))
    }
    await servesOrders(settings, true)
  })
})
