import { assert, describe, it } from "@effect/vitest"
import { HttpApi, HttpApiEndpoint, HttpApiGroup } from "effect/http-api"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { AdminApi } from "../../../../src/http/admin/AdminApi.ts"
import * as AllowedRoles from "../../../../src/http/api/AllowedRoles.ts"
import { Api } from "../../../../src/http/api/Api.ts"
import { Authorized } from "../../../../src/http/api/Boundary.ts"
import * as Scopes from "../../../../src/http/api/Scopes.ts"

describe("who may send what", () => {
  it("is declared by every endpoint: one that does not ends the start", () => {
    const open = HttpApi.make("open").add(HttpApiGroup.make("doors").add(HttpApiEndpoint.get("open", "/open")))
    assert.throws(() => AllowedRoles.rulesOf(open), "GET /open does not declare who may send it.")
    const unguarded = open.annotate(AllowedRoles.AllowedRoles, ["operator"])
    assert.throws(() => AllowedRoles.rulesOf(unguarded), /GET \/open .* has no middleware Authorized/)
    assert.strictEqual(AllowedRoles.rulesOf(unguarded.middleware(Authorized)).size, 1)
    assert.strictEqual(AllowedRoles.rulesOf(open.annotate(AllowedRoles.AllowedRoles, ["anyone"])).size, 1)
    assert.strictEqual(AllowedRoles.rulesOf(Api).get("POST /orders/:id/shipments")?.scope, "orders:ship")
  })

  it("is the admin alone on the operators' port, but for metrics and problem types", () => {
    const others = [...AllowedRoles.rulesOf(AdminApi)].filter(([, { scope }]) => scope !== "admin")
    assert.deepStrictEqual(
      others.map(([name, { roles, scope }]) => [name, roles, scope]),
      [
        ["GET /metrics", ["operator"], "metrics:read"],
        ["GET /problems/:slug", ["anyone"], "process:read"]
      ]
    )
  })

  it("is a scope of its own for each command, and of all reads of a kind together", () => {
    const kinds = Scopes.scopes.filter((scope) => scope.endsWith(":read"))
    assert.deepStrictEqual(kinds, ["catalog:read", "metrics:read", "orders:read", "projections:read"])
    for (const scope of ["orders:place", "orders:ship", "orders:refund-payment", "catalog:save-product", "admin"]) {
      assert.include(Scopes.scopes, scope)
      assert.isUndefined(Scopes.mistakeIn([scope]))
    }
    assert.isUndefined(Scopes.mistakeIn(["orders:*", "catalog:*"]))
    for (const scope of ["orders", "*", "orders:fly", "orders:", ":*", ""]) {
      assert.match(Scopes.mistakeIn([scope]) ?? "", /There is no scope/)
    }
    assert.match(Scopes.mistakeIn([]) ?? "", /needs a scope/)
    assert.isTrue(AllowedRoles.grants(["orders:*"], "orders:ship"))
    assert.isFalse(AllowedRoles.grants(["orders:*", "catalog:read"], "catalog:save-product"))
    assert.isFalse(AllowedRoles.grants(["orders:*", "catalog:*", "projections:*"], "admin"))
  })

  it("is named in docs/security.md only by scopes that there are", () => {
    const text = readFileSync(join(import.meta.dirname, "../../../../docs/security.md"), "utf8")
    const named = [...text.matchAll(/\b((?:orders|catalog|projections|metrics):[a-z-]+)\b/g)].map(([, scope]) => scope)
    assert.isAtLeast(named.length, 7)
    for (const scope of named) assert.include(Scopes.scopes, scope)
  })
})
