import { assert, describe, it } from "vitest"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, fillCatalog, history } from "../../harness/clients/HttpClient.ts"
import { deno } from "../../harness/servers/ServerProcess.ts"
import { directory, freshDatabase, server } from "../../harness/servers/Resources.ts"

const place = (url: string) => call(url, "POST", "/orders", { body: placement() })

const placesShipsAndReads = async (url: string) => {
  const placed = await place(url)
  assert.strictEqual(placed.status, 202)
  const path = placed.headers.get("location")!
  const shipped = await call(url, "POST", `${path}/shipments`, { body: {}, headers: { prefer: "wait=30" } })
  assert.strictEqual(shipped.status, 200)
  const read = await call(url, "GET", path)
  assert.strictEqual(read.status, 200)
  assert.include(read.body, { status: "shipped", version: 3 })
  const refused = await call(url, "POST", `${path}/cancel`, { body: { reason: "customer_request" } })
  assert.strictEqual(refused.status, 409)
  return path
}

describe("the same sources run under Deno", () => {
  it("on PGlite in a directory, again after SIGTERM", async () => {
    const settings = { DATABASE_URL: `pglite:${await directory()}` }
    const first = await server(settings, deno)
    const path = await placesShipsAndReads(first.url)
    assert.deepStrictEqual(await first.stop(), { code: 0, signal: null }, first.output())
    const second = await server(settings, deno)
    assert.lengthOf((await history(second.url, path.slice("/orders/".length))) ?? [], 3)
  })

  it("on PostgreSQL", async () => {
    const { url } = await server({ DATABASE_URL: await freshDatabase() }, deno)
    await fillCatalog(url)
    await placesShipsAndReads(url)
  })
})
