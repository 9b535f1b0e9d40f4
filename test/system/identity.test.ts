/** A server that asks who is calling, as docs/security.md has it: its commands are run against a real one. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "vitest"
import { call } from "../../harness/clients/HttpClient.ts"
import * as Tokens from "../../harness/identity/Tokens.ts"
import { freshDatabase, server } from "../../harness/servers/Resources.ts"
import { type Environment, launch } from "../../harness/servers/ServerProcess.ts"

const text = readFileSync(join(import.meta.dirname, "..", "..", "docs", "security.md"), "utf8")

/** The flags of the one command of the document that begins so. */
const documented = (command: string): ReadonlyArray<string> => {
  const [, line = ""] = new RegExp(`npx ordinal (${command}\\b[^\\n)]*)`).exec(text) ?? []
  return [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, word]) => quoted ?? word ?? "")
}

const ordinal = async (environment: Environment, flags: ReadonlyArray<string>) => {
  const { exit, output } = launch(environment, flags)
  const { code } = await exit
  return { code, text: output().trim() }
}

const secret = { JWT_SECRET: Tokens.secret, JWT_ISSUER: Tokens.issuer, JWT_AUDIENCE: Tokens.audience }

it("a server with JWT_SECRET knows its callers by the tokens and keys that the documented commands make", async () => {
  const database = { DATABASE_URL: await freshDatabase() }
  const { adminUrl, stop, url } = await server({ ...database, ...secret })
  const token = await ordinal(secret, documented("token"))
  assert.deepStrictEqual(token.code, 0, token.text)
  const operator = Tokens.bearer(token.text)
  const statusOf = async (base: string, path: string, headers: Record<string, string> = {}) =>
    (await call(base, "GET", path, { headers })).status
  assert.strictEqual(await statusOf(url, "/orders"), 401)
  assert.strictEqual(await statusOf(url, "/orders", operator), 200)
  assert.strictEqual(await statusOf(url, "/health/ready"), 200)
  assert.strictEqual(await statusOf(url, "/docs"), 200)

  // The operators' port is for admins; on loopback, everybody may read the metrics.
  assert.strictEqual(await statusOf(adminUrl, "/metrics"), 200)
  assert.strictEqual(await statusOf(adminUrl, "/admin/keys"), 401)
  assert.strictEqual(await statusOf(adminUrl, "/admin/projections", operator), 403)

  const made = await ordinal(database, documented("keys create"))
  assert.deepStrictEqual(made.code, 0, made.text)
  const key = { "x-api-key": made.text }
  assert.strictEqual(await statusOf(url, "/orders", key), 200)
  assert.strictEqual(await statusOf(url, "/orders", Tokens.bearer(made.text)), 200)
  const refused = await call(url, "PUT", "/products/mug", { headers: key, body: { name: "Mug" } })
  assert.deepStrictEqual([refused.status, refused.body.scope], [403, "catalog:save-product"])
  assert.match(refused.headers.get("www-authenticate") ?? "", /insufficient_scope", scope="catalog:save-product"/)
  assert.strictEqual(await statusOf(adminUrl, "/admin/keys", key), 403)

  // An admin does the same by the operators' port, and a key that is made there is good at once.
  const admin = Tokens.bearer(await Tokens.admin())
  const body = { name: "scraper", scopes: ["projections:read"] }
  const created = await call(adminUrl, "POST", "/admin/keys", { headers: admin, body })
  assert.deepStrictEqual([created.status, created.body.scopes], [201, ["projections:read"]])
  assert.strictEqual(await statusOf(url, "/projections", { "x-api-key": created.body.key }), 200)
  const past = await call(adminUrl, "POST", "/admin/keys", {
    headers: admin,
    body: { ...body, expiresAt: "2020-01-01T00:00:00Z" }
  })
  assert.deepStrictEqual([past.status, past.body.type], [400, "/problems/invalid-request"])
  const unstorable = await call(adminUrl, "POST", "/admin/keys", { headers: admin, body: { ...body, name: "\u0000" } })
  assert.deepStrictEqual([unstorable.status, unstorable.body.type], [400, "/problems/invalid-request"])
  assert.strictEqual((await call(adminUrl, "DELETE", "/admin/keys/%00", { headers: admin })).status, 404)
  const unknown = await call(adminUrl, "POST", "/admin/keys", { headers: admin, body: { ...body, scopes: ["all"] } })
  assert.deepStrictEqual([unknown.status, unknown.body.type], [400, "/problems/invalid-request"])

  const { body: listed } = await call(adminUrl, "GET", "/admin/keys", { headers: admin })
  assert.deepStrictEqual(
    listed.data.map(({ name, scopes }: { name: string; scopes: string[] }) => [name, scopes]),
    [
      ["warehouse", ["orders:read", "orders:ship"]],
      ["scraper", ["projections:read"]]
    ]
  )
  assert.notInclude(JSON.stringify(listed), made.text.slice(-20))

  // This server has not seen the key that is revoked now, so it remembers nothing of it.
  const other = await call(adminUrl, "POST", "/admin/keys", { headers: admin, body })
  const revoked = await call(adminUrl, "DELETE", `/admin/keys/${other.body.id}`, { headers: admin })
  assert.deepStrictEqual([revoked.status, typeof revoked.body.revokedAt], [200, "string"])
  assert.strictEqual(await statusOf(url, "/projections", { "x-api-key": other.body.key }), 401)
  assert.strictEqual((await call(adminUrl, "DELETE", "/admin/keys/none", { headers: admin })).status, 404)

  const cli = await ordinal(database, documented("keys revoke").with(2, listed.data[0].id))
  assert.match(cli.text, /^The key \w+ \(warehouse\) is revoked\.$/)
  const rows = await ordinal(database, documented("keys list"))
  assert.match(rows.text, /warehouse +orders:read,orders:ship .* revoked /)
  assert.deepStrictEqual(await stop(), { code: 0, signal: null })
})

it("a token is made only with the server's secret", async () => {
  const { code, text } = await ordinal({}, ["token", "--role", "operator"])
  assert.strictEqual(code, 1)
  assert.match(text, /No token was made\. It is signed with JWT_SECRET, which is not set\./)
  const subject = await ordinal(secret, ["token", "--role", "operator", "--subject", "a".repeat(101)])
  assert.match(subject.text, /No token was made\. --subject is 1 to 100 characters/)
  const never = await ordinal(secret, ["token", "--role", "operator", "--expires", "Infinity"])
  assert.match(never.text, /--expires is "Infinity" but must be a duration .* to /)
})
