/** A backend of processes with a role each: together they do the whole work, and each refuses what is not its own. */
import { assert, it, onTestFinished } from "vitest"
import { call, fillCatalog, type Receipt, slug } from "../../harness/clients/HttpClient.ts"
import { until, untilSo } from "../../harness/clocks/Until.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { freshDatabase, server } from "../../harness/servers/Resources.ts"
import type { ServerProcess } from "../../harness/servers/ServerProcess.ts"
import { open } from "../../harness/streams/StreamClients.ts"
import * as Receiver from "../../harness/webhooks/Receiver.ts"

const namesAt = async ({ adminUrl }: ServerProcess, path: string): Promise<ReadonlyArray<string>> =>
  (await call(adminUrl, "GET", path)).body.data.map(({ name }: { readonly name: string }) => name)

const tokenOf = ({ headers }: { readonly headers: Headers }) => headers.get("consistency-token") ?? ""

it("a command, a query and a projector process on one PostgreSQL do together what one process does", async () => {
  const settings = {
    DATABASE_URL: await freshDatabase(),
    WEBHOOKS_ALLOW_HTTP: "true",
    WEBHOOKS_ALLOWED_NETWORKS: "127.0.0.0/8"
  }
  const [query, projector] = await Promise.all(
    ["query", "projector"].map((role) => server({ ...settings, ROLE: role }))
  )
  assert.isDefined(query)
  assert.isDefined(projector)
  const command = await server({ ...settings, ROLE: "command", QUERY_URL: query.url })
  const all = { command, query, projector }

  // Each says what is not its own. Health, metrics and the operators' port are everywhere.
  const answers = async ({ url }: ServerProcess) => {
    const sent = [await call(url, "PUT", "/products/none", { body: {} }), await call(url, "GET", "/products?limit=x")]
    return sent.map((answer) => (slug(answer) === "not-served-here" ? String(answer.body.role) : answer.status))
  }
  assert.deepStrictEqual(await answers(command), [400, 400])
  assert.deepStrictEqual(await answers(query), ["command", 400])
  assert.deepStrictEqual(await answers(projector), ["command", "query"])
  for (const [name, process] of Object.entries(all)) {
    for (const path of ["/health/live", "/health/ready"]) {
      assert.strictEqual((await call(process.url, "GET", path)).status, 200, `${name} ${path}`)
    }
    assert.include((await call(process.adminUrl, "GET", "/metrics")).text, 'orders_projection_position{projection="')
    assert.deepStrictEqual(await namesAt(process, "/admin/projections"), ["catalog-view", "order-view"], name)
    const fibers = await namesAt(process, "/admin/fibers")
    const isThere = (fiber: string) => fibers.some((one) => one.startsWith(fiber))
    for (const fiber of ["projection order-view", "rebuild of", "audit of", "webhooks"]) {
      assert.strictEqual(isThere(fiber), name === "projector", `${name}: ${fiber}`)
    }
    assert.strictEqual(isThere("command-retention"), name === "command", name)
  }

  // A webhook that is made at one process is delivered to by another one.
  const received: Array<string> = []
  let secret = ""
  const receiver = await Receiver.start({
    secret: () => secret,
    answer: ({ event }) => {
      if (event !== undefined) received.push(event.subject)
      return 204
    }
  })
  onTestFinished(receiver.stop)
  secret = (await call(query.adminUrl, "POST", "/admin/webhooks", { body: { url: receiver.url } })).body.secret

  await fillCatalog(command.url)
  const stream = await open(query.url, { transport: "WebSocket" })
  onTestFinished(stream.cut)

  // The command's process sees the view, which the projector makes: so does the query's, however far behind it was.
  const waited = await call(command.url, "POST", "/orders", { body: placement(), headers: { prefer: "wait=30" } })
  assert.deepStrictEqual([waited.status, waited.body.version], [201, 2])
  const placed = await call(command.url, "POST", "/orders", { body: placement() })
  assert.strictEqual(placed.status, 202)
  const { orderId, position } = placed.body as Receipt
  const fresh = { headers: { "consistency-token": tokenOf(placed), prefer: "wait=30" } }
  for (const { url } of [query, command]) {
    const { body, status } = await call(url, "GET", `/orders/${orderId}`, fresh)
    assert.deepStrictEqual([status, body.version], [200, 2])
  }
  await stream.until(position)
  assert.includeMembers(stream.positions, [position - 1, position])
  await untilSo(() => received.includes(orderId), { what: "The webhook" })

  // A rebuild is asked for at any process, and done by the projector.
  const asked = await call(command.adminUrl, "POST", "/admin/projections/order-view/rebuild", { body: {} })
  assert.strictEqual(asked.status, 202, asked.text)
  const rebuild = () => call(query.adminUrl, "GET", `/admin/rebuilds/${asked.body.id}`)
  await until(rebuild, ({ body }) => body.state === "completed", { what: "The rebuild" })

  // Without a projector everything goes on but the views, and whoever needs a newer one is told so.
  await projector.kill()
  const late = await call(command.url, "POST", "/orders", { body: placement() })
  assert.strictEqual(late.status, 202)
  const impatient = { headers: { "consistency-token": tokenOf(late), prefer: "wait=0" } }
  assert.strictEqual(slug(await call(query.url, "GET", `/orders/${late.body.orderId}`, impatient)), "projection-behind")
  assert.strictEqual((await call(query.url, "GET", `/orders/${orderId}`)).status, 200)
})
