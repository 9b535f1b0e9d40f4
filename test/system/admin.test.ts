/** The operators' port, seen from outside of the process that opens it. */
import { createServer } from "node:net"
import { assert, describe, inject, it, onTestFinished } from "vitest"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { launch } from "../../harness/servers/ServerProcess.ts"
import { freshDatabase, refusal, server } from "../../harness/servers/Resources.ts"

/** Occupies a port, a free one by default, and returns it. */
const taken = async (port = 0): Promise<number> => {
  const other = createServer()
  onTestFinished(() => void other.close())
  return new Promise((resolve) => {
    // Another program may occupy the port already, which does just as well.
    other.once("error", () => resolve(port))
    other.listen(port, "127.0.0.1", () => {
      const address = other.address()
      resolve(typeof address === "object" && address !== null ? address.port : 0)
    })
  })
}

const json = async (url: string) => (await fetch(url)).json() as Promise<{ readonly data: ReadonlyArray<object> }>

describe("the port for operators", () => {
  it("opens beside the API's port, and both close well", async () => {
    const { adminUrl, output, stop, url } = await server({ DATABASE_URL: await freshDatabase() })
    assert.match(output(), /The admin port listens at http:\/\/127\.0\.0\.1:\d+\/docs/)
    await fillCatalog(url)
    const placed = await call(url, "POST", "/orders", { body: placement(), headers: { prefer: "wait=30" } })
    assert.strictEqual(placed.status, 201)
    const metrics = await (await fetch(`${adminUrl}/metrics`)).text()
    assert.include(metrics, 'orders_commands_total{command="PlaceOrder",outcome="accepted"} 1\n')
    const { data } = await json(`${adminUrl}/admin/projections`)
    assert.containSubset(data, [{ name: "order-view", behind: 0 }])
    assert.deepStrictEqual(await stop(), { code: 0, signal: null })
  })

  it("shows the settings without the database's password", async () => {
    const url = new URL(await freshDatabase())
    assert.isNotEmpty(url.password)
    const { adminUrl } = await server({ DATABASE_URL: url.href, IDLE: "7 seconds" })
    const text = await (await fetch(`${adminUrl}/admin/config`)).text()
    assert.notInclude(text, `:${url.password}@`)
    assert.include(text, `:***@${url.host}${url.pathname}`)
    assert.containSubset(JSON.parse(text).data, [
      { name: "IDLE", value: "7 seconds", isDefault: false },
      { name: "MAILBOX", value: "256", isDefault: true }
    ])
  })

  it("is another one, with a warning, where nobody has chosen it and the default is in use", async () => {
    await taken(3001)
    const { child, exit, output } = launch({ DATABASE_URL: await freshDatabase(), PORT: "0" })
    onTestFinished(() => void child.kill("SIGKILL"))
    const begun = new Promise<void>((resolve) => {
      child.stdout?.on("data", () => /Listening on/.test(output()) && resolve())
      void exit.then(() => resolve())
    })
    await begun
    assert.match(output(), /WARN .*Port 3001 is in use; the port for operators is another one/)
    const [, url = ""] = /The admin port listens at (http:\S+)\/docs/.exec(output()) ?? []
    assert.notStrictEqual(new URL(url).port, "3001")
    assert.strictEqual((await fetch(`${url}/metrics`)).status, 200)
  })

  it("must be free where somebody has chosen it", async () => {
    const port = await taken()
    const settings = { DATABASE_URL: inject("postgresUrl"), PORT: "0", ADMIN_PORT: String(port) }
    assert.match(
      await refusal(launch(settings)),
      new RegExp(`ADMIN_HOST and ADMIN_PORT can.t .*Port ${port} .*is in use\\. .*set ADMIN_PORT`)
    )
  })

  it("must not be reachable by others unless ALLOW_UNAUTHENTICATED is set", async () => {
    const open = { DATABASE_URL: inject("postgresUrl"), PORT: "0", ADMIN_PORT: "0", ADMIN_HOST: "0.0.0.0" }
    assert.match(await refusal(launch(open)), /The setting ADMIN_HOST is "0\.0\.0\.0", .*ALLOW_UNAUTHENTICATED/)
    const settings = { ...open, DATABASE_URL: await freshDatabase(), ALLOW_UNAUTHENTICATED: "true" }
    const { adminUrl, output } = await server(settings)
    assert.match(output(), /WARN .*listens on 0\.0\.0\.0 without authentication/)
    const url = adminUrl.replace("0.0.0.0", "127.0.0.1")
    // The address is not checked any more, but pages of other origins are still refused.
    assert.strictEqual((await fetch(`${url}/metrics`)).status, 200)
    assert.strictEqual((await fetch(`${url}/metrics`, { headers: { origin: "https://evil.example" } })).status, 403)
  })
})
