/**
 * Processes with roles behind a real nginx, set up as deploy/nginx/ordinal.conf has it. nginx is that of this machine, or
 * fetched.
 */
import { once } from "node:events"
import { readFile } from "node:fs/promises"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { join } from "node:path"
import { assert, describe, it, onTestFinished } from "vitest"
import * as RoleKills from "../../harness/campaigns/RoleKills.ts"
import { call, fillCatalog, history, orderId, slug } from "../../harness/clients/HttpClient.ts"
import { project } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"
import { ada, address, placement } from "../../harness/fixtures/Shop.ts"
import * as NginxServer from "../../harness/servers/NginxServer.ts"
import { freshDatabase } from "../../harness/servers/Resources.ts"
import * as RoleProcesses from "../../harness/servers/RoleProcesses.ts"
import { open } from "../../harness/streams/StreamClients.ts"

const processes = { command: 3, query: 2, projector: 1 }

/** Counts the orders, products and customers that each process has loaded from the log, since it was started. */
const activations = async ({ adminUrl }: RoleProcesses.RoleProcess): Promise<number> => {
  const { text } = await call(adminUrl(), "GET", "/metrics")
  return [...text.matchAll(/^orders_activations_total\{[^}]*\} (\d+)/gm)].reduce(
    (sum, [, count]) => sum + Number(count),
    0
  )
}

it("the client of docs/scaling.md compiles", async () => {
  const [, code] = /^```ts\n(.*?)^```$/ms.exec(await readFile(join(root, "docs", "scaling.md"), "utf8")) ?? []
  assert.isDefined(code)
  await project([["client.ts", `import { OrdersClient } from "ordinal/client"\nconsole.log(${code.trim()})`]])
})

describe("processes with roles behind nginx", () => {
  it("get the commands on one order at one process, and queries and streams at any for queries", async () => {
    const nodes = await RoleProcesses.start(processes, { DATABASE_URL: await freshDatabase() })
    onTestFinished(nodes.kill)
    const { stop, url } = await NginxServer.start(nodes)
    onTestFinished(stop)
    await fillCatalog(url)

    // So many that no round of them gives each process the same ones in turn.
    const orders = Array.from({ length: 31 }, orderId)
    let last = await call(url, "GET", "/health/ready")
    const send = async (method: string, path: string, body: object) => {
      last = await call(url, method, path, { body })
      assert.strictEqual(last.status, 202, last.text)
    }
    for (const order of orders) await send("POST", "/orders", placement({ orderId: order }))
    const move = async (city: string) => {
      for (const order of orders) await send("PUT", `/orders/${order}/shipping-address`, { ...address, city })
    }
    await move("Paris")
    const loaded = await Promise.all(nodes.of("command").map(activations))
    await move("Rome")
    await move("Oslo")
    assert.deepStrictEqual(await Promise.all(nodes.of("command").map(activations)), loaded)
    for (const node of [...nodes.of("query"), ...nodes.of("projector")]) assert.strictEqual(await activations(node), 0)

    const headers = { "consistency-token": last.headers.get("consistency-token") ?? "", prefer: "wait=30" }
    for (const order of orders) {
      const { body } = await call(url, "GET", `/orders/${order}`, { headers })
      assert.strictEqual(body.shippingAddress.city, "Oslo")
    }
    for (const transport of ["SSE", "WebSocket"] as const) {
      const stream = await open(url, { transport, after: 0 })
      await stream.until(last.body.position)
      assert.lengthOf(stream.positions, orders.length * 5)
      stream.cut()
    }
  })

  it("answer through it as they do without it", async () => {
    const nodes = await RoleProcesses.start(
      { ...processes, command: 1, query: 1 },
      { DATABASE_URL: await freshDatabase() }
    )
    onTestFinished(nodes.kill)
    const { stop, url } = await NginxServer.start(nodes)
    onTestFinished(stop)
    await fillCatalog(url)
    const large = placement({ note: "x".repeat(300_000) })
    const requests = [
      ["command", "POST", "/orders", large],
      ["command", "POST", "/orders/x%2Fy/confirm"],
      ["command", "PUT", "/products/a%20b", ada],
      ["query", "GET", "/products/a%20b"],
      ["query", "GET", "/orders?limit=1&customerId=a%2Fb"],
      ["query", "GET", "/orders/x/nothing"],
      ["query", "GET", `/orders?cursor=${"x".repeat(7_000)}`],
      ["query", "HEAD", "/orders"],
      ["query", "GET", "/openapi.json"]
    ] as const
    for (const [role, method, path, body] of requests) {
      const [through, direct] = await Promise.all(
        [url, nodes.of(role)[0]!.url].map((at) => call(at, method, path, body === undefined ? {} : { body }))
      )
      assert.deepStrictEqual([through?.status, slug(through!)], [direct?.status, slug(direct!)], `${method} ${path}`)
    }
    assert.strictEqual((await call(url, "POST", "/orders", { body: large })).status, 413)
  })

  it("get a command that another one may have done only under its key", async () => {
    const nodes = await RoleProcesses.start({ all: 1 }, { DATABASE_URL: await freshDatabase() })
    onTestFinished(nodes.kill)
    const [{ url: real }] = nodes.all as [RoleProcesses.RoleProcess]
    let lost = 0
    const losing = createServer((request) => {
      lost += 1
      request.resume().on("end", () => request.socket.destroy())
    })
    await once(losing.listen(0, "127.0.0.1"), "listening")
    onTestFinished(() => void losing.close())
    const away = `http://127.0.0.1:${(losing.address() as AddressInfo).port}`
    const behind = (role: string) => (role === "command" ? [{ url: away }, { url: real }] : [{ url: real }])
    const { stop, url } = await NginxServer.start({ of: behind })
    onTestFinished(stop)
    await fillCatalog(real)

    // Some order belongs to the server that loses its answer.
    for (let isLost = false; !isLost;) {
      const order = orderId()
      await call(real, "POST", "/orders", { body: placement({ orderId: order, confirm: false }) })
      const { status } = await call(url, "POST", `/orders/${order}/confirm`)
      isLost = lost > 0
      assert.strictEqual(status, isLost ? 502 : 202)
      assert.lengthOf((await history(real, order)) ?? [], isLost ? 1 : 2)
      if (isLost) {
        const { status } = await call(url, "PUT", `/orders/${order}/shipping-address`, {
          body: { ...address, city: "Oslo" }
        })
        assert.strictEqual(status, 502)
        assert.lengthOf((await history(real, order)) ?? [], 1)
      }
      const keyed = await call(url, "POST", `/orders/${order}/confirm`, { headers: { "idempotency-key": order } })
      assert.strictEqual(keyed.status, 202, keyed.text)
      assert.lengthOf((await history(real, order)) ?? [], 2)
    }
  })

  it("lose and double nothing while they are killed one after the other, and queries and commands do not touch each other", async () => {
    const { faults, hot, reads } = await RoleKills.run({
      databaseUrl: await freshDatabase(),
      processes,
      kills: 2,
      clients: 3,
      orders: 10,
      seed
    })
    assert.deepStrictEqual(faults, [], `seed ${seed}`)
    assert.isAbove(hot, 0)
    assert.isAbove(reads, 0)
  })
})
