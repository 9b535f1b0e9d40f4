import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { assert, describe, inject, it } from "vitest"
import { untilSo } from "../../harness/clocks/Until.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, fillCatalog, list } from "../../harness/clients/HttpClient.ts"
import { type Environment, launch } from "../../harness/servers/ServerProcess.ts"
import { directory, freshDatabase, server } from "../../harness/servers/Resources.ts"

/** Kills it so many milliseconds after it has got as far as asked. */
const killAfter = async (
  settings: Environment,
  milliseconds: number,
  isThere: (pid: number) => Promise<boolean> = async () => true
) => {
  const { child, exit, output } = launch({ PORT: "0", ADMIN_PORT: "0", ...settings })
  await untilSo(async () => child.exitCode !== null || isThere(child.pid!), {
    what: "The moment of the kill",
    pause: 1
  })
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
  const started = await server(settings)
  const { url } = started
  if (needsCatalog) await fillCatalog(url)
  const { headers, status } = await call(url, "POST", "/orders", { body: placement() })
  assert.strictEqual(status, 202)
  assert.lengthOf(await list(url, { token: headers.get("consistency-token")! }), 1)
  return started
}

const filesIn = (path: string) => readdir(path, { recursive: true }).catch(() => [])

describe("kill -9 during the very first start never harms the next one", () => {
  it("on PGlite", async () => {
    const [path, all] = [await directory(), (await filesIn(inject("pgliteDirectory"))).length]
    const settings = { DATABASE_URL: `pglite:${path}` }
    const isWritten = (part: number) => async (pid: number) =>
      (await filesIn(join(path, `data.new-${pid}`))).length >= part * all || (await readdir(path)).includes("data")
    // At random within each half of the writing of a new database, and when the schema is made in it.
    await killAfter(settings, 0, isWritten(0.5 * Math.random()))
    await killAfter(settings, 0, isWritten(0.5 + 0.5 * Math.random()))
    await killAfter(settings, 1_000 * Math.random(), isWritten(2))
    const { stop } = await servesOrders(settings, false)
    await stop()
    assert.deepStrictEqual(await readdir(path), ["data"])
  })

  it("on PostgreSQL", async () => {
    const [undisturbed, kills] = [await timeOf(server({ DATABASE_URL: await freshDatabase() })), 3]
    const settings = { DATABASE_URL: await freshDatabase() }
    for (let kill = 0; kill < kills; kill++) {
      await killAfter(settings, undisturbed * (0.3 + (0.7 * (kill + Math.random())) / kills))
    }
    await servesOrders(settings, true)
  })
})
