/** Prometheus's own tool judges what a server reports after real traffic, and the alert rules. */
import { spawnSync } from "node:child_process"
import { join } from "node:path"
import { assert, it } from "vitest"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { freshDatabase, server } from "../../harness/servers/Resources.ts"
import * as Promtool from "../../harness/services/Promtool.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"

const missing = await Promtool.install().then(
  () => undefined,
  (error: unknown) => `promtool can't be fetched: ${error instanceof Error ? error.message : error}`
)

const promtool = (args: ReadonlyArray<string>, input = "") => {
  const { status, stderr, stdout } = spawnSync(Promtool.program, args, { input, encoding: "utf8" })
  return { status, output: `${stdout}${stderr}` }
}

ciSuite("metrics and alert rules before Prometheus's own tool", missing, () => {
  it("/metrics has no fault, and names no order and no customer", async () => {
    const { adminUrl, url } = await server({ DATABASE_URL: await freshDatabase() })
    await fillCatalog(url)
    const { body } = await call(url, "POST", "/orders", { body: placement(), headers: { prefer: "wait=30" } })
    await call(url, "GET", `/orders/${body.orderId}`)
    await call(url, "GET", "/orders?customerId=ada")
    const { text } = await call(adminUrl, "GET", "/metrics")
    assert.include(text, 'orders_commands_total{command="PlaceOrder",outcome="accepted"} 1')
    assert.deepStrictEqual(promtool(["check", "metrics"], text), { status: 0, output: "" })
    assert.notMatch(text, /ord_|"ada"|"mug"/)
  })

  it("the alert rules can be read", () => {
    const rules = join(import.meta.dirname, "..", "..", "deploy", "observability", "alerts.yaml")
    const { output, status } = promtool(["check", "rules", rules])
    assert.strictEqual(status, 0, output)
    assert.match(output, /SUCCESS: \d+ rules found/)
  })

  it("a fault is found", () => {
    const { output, status } = promtool(["check", "metrics"], "# TYPE things counter\nthings 1\n")
    assert.notStrictEqual(status, 0)
    assert.include(output, "_total")
  })
})
