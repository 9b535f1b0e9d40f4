import { createHash } from "node:crypto"
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { start, stub, type TestServer } from "../../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await start({ orders: stub({}) })
})
afterAll(() => server.stop())

const html = { accept: "text/html" }

describe("API8 misconfiguration: answers", () => {
  it("are never guessed a type for, and do not say what made them", async () => {
    for (const path of ["/", "/docs", "/openapi.json", "/health/live", "/nope", "/problems/not-found"]) {
      const { headers } = await server.get(path)
      assert.strictEqual(headers.get("x-content-type-options"), "nosniff", path)
      for (const name of ["x-powered-by", "server", "strict-transport-security"]) assert.isNull(headers.get(name), path)
    }
  })

  it("that are pages are framed by nobody, load nothing from elsewhere, and run their own scripts alone", async () => {
    for (const path of ["/", "/docs", "/docs?x"]) {
      const { headers, text } = await server.get(path, html)
      assert.strictEqual(headers.get("x-frame-options"), "DENY")
      assert.strictEqual(headers.get("referrer-policy"), "no-referrer")
      const policy = new Map(
        (headers.get("content-security-policy") ?? "").split("; ").map((directive) => {
          const [name = "", ...values] = directive.split(" ")
          return [name, values] as const
        })
      )
      assert.deepStrictEqual(policy.get("default-src"), ["'none'"])
      assert.deepStrictEqual(policy.get("frame-ancestors"), ["'none'"])
      assert.deepStrictEqual(policy.get("connect-src"), ["'self'"])
      const hashes = Array.from(
        text.matchAll(/<script>(.*?)<\/script>/gs),
        ([, script = ""]) => `'sha256-${createHash("sha256").update(script).digest("base64")}'`
      )
      assert.deepStrictEqual(policy.get("script-src"), hashes.length === 0 ? ["'none'"] : hashes, path)
      assert.notMatch(text, /<script[^>]* src=|<link[^>]* href="http/)
    }
    assert.include((await server.get("/docs", html)).text, "<script>")
  })
})
