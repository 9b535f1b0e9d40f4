/** Sends `Prefer: wait` with changes of the catalog while operators have paused its view. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { type Shop, start } from "../../../harness/servers/AdminServer.ts"
import { ada, mug } from "../../../harness/fixtures/Shop.ts"

let shop: Shop
beforeAll(async () => {
  shop = await start()
})
afterAll(() => shop.stop())

const operate = (what: "pause" | "resume") => shop.operators.send("POST", `/admin/projections/catalog-view/${what}`)

const ids = async (path: string) => {
  const { body } = await shop.api.get(`${path}?limit=100`)
  return body.data.map((item: { readonly [id: string]: string }) => item["productId"] ?? item["customerId"])
}

describe.each([
  ["/products", "productId", mug],
  ["/customers", "customerId", ada]
] as const)("a command on %s that would wait", (path, idName, content) => {
  it("is answered with the receipt if the list does not have it in time", async () => {
    await operate("pause")
    const { body, headers, status } = await shop.api.send("PUT", `${path}/early`, content, { prefer: "wait=0" })
    assert.deepStrictEqual([status, body[idName], body.version], [202, "early", 1])
    assert.deepStrictEqual([headers.get("preference-applied"), headers.get("location")], [null, `${path}/early`])
    assert.notInclude(await ids(path), "early")
    await operate("resume")
  })

  it("is answered with what it saved once the list has it", async () => {
    await operate("pause")
    const saved = shop.api.send("PUT", `${path}/late`, content, { prefer: "wait=30", "idempotency-key": "once" })
    await operate("resume")
    const { body, headers, status } = await saved
    assert.include(await ids(path), "late")
    assert.deepStrictEqual([status, body], [200, { [idName]: "late", ...content, version: 1, withdrawn: false }])
    assert.deepStrictEqual(
      ["etag", "location", "preference-applied"].map((name) => headers.get(name)),
      ['"1"', `${path}/late`, "wait=30"]
    )
    assert.match(headers.get("consistency-token") ?? "", /^[1-9]\d*\./)
    assert.match(headers.get("freshness") ?? "", /^position=\d+, behind=\d+/)

    const withdrawn = await shop.api.send("DELETE", `${path}/late`, undefined, { prefer: "wait=30" })
    assert.deepStrictEqual([withdrawn.status, withdrawn.body.withdrawn], [200, true])
    assert.deepStrictEqual([withdrawn.headers.get("etag"), withdrawn.headers.get("location")], ['"2"', null])
  })
})
