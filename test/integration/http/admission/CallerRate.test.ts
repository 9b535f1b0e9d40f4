import { assert, describe, it } from "@effect/vitest"
import { onTestFinished } from "vitest"
import * as Tokens from "../../../../harness/identity/Tokens.ts"
import { type Options, start } from "../../../../harness/servers/ApiServer.ts"

const serve = async (options: Options) => {
  const server = await start({ identity: Tokens.identity(), ...options })
  onTestFinished(server.stop)
  return server
}

describe("API4 limits: known callers", () => {
  it("have a quota each, at whatever endpoint, and each request counts once", async () => {
    const server = await serve({ quotas: { caller: 3, findsCallers: true } })
    const [ada, bob] = [Tokens.bearer(await Tokens.customer("ada")), Tokens.bearer(await Tokens.customer("bob"))]
    // What a hot route leaves to its endpoint is judged by both.
    const unknown = await server.send("POST", "/orders", { nonsense: true }, ada)
    assert.strictEqual(unknown.status, 400)
    assert.match(unknown.headers.get("ratelimit") ?? "", /^"caller";r=2;t=\d+$/)
    assert.match((await server.get("/orders", ada)).headers.get("ratelimit") ?? "", /^"caller";r=1;t=\d+$/)
    assert.strictEqual((await server.get("/orders/counts?customerId=ada", ada)).status, 200)
    for (const path of ["/orders", "/orders/counts?customerId=ada", "/events"]) {
      const { body, headers, status } = await server.get(path, ada)
      assert.deepStrictEqual([status, body.type, body.limit], [429, "/problems/rate-limited", "caller"], path)
      assert.match(headers.get("retry-after") ?? "", /^[1-9]\d*$/)
    }
    assert.strictEqual((await server.get("/orders", bob)).status, 200)
  })
})

describe("API2 brute force: over HTTP", () => {
  it("an address that was answered 401 too often is answered 429, with good credentials too; another one is not", async () => {
    const server = await serve({ quotas: { failures: 2 }, sites: { proxies: ["127.0.0.1"] } })
    const good = Tokens.bearer(await Tokens.customer("ada"))
    const from = (address: string, headers: Record<string, string>) =>
      server.get("/orders", { "x-forwarded-for": address, ...headers })
    const statuses = []
    for (const headers of [good, Tokens.bearer("guessed"), {}, Tokens.bearer("guessed"), good]) {
      statuses.push((await from("192.0.2.1", headers)).status)
    }
    assert.deepStrictEqual(statuses, [200, 401, 401, 429, 429])
    assert.strictEqual((await from("192.0.2.2", good)).status, 200)
  })
})
