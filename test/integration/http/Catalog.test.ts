import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { ada, mug } from "../../../harness/fixtures/Shop.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await start()
})
afterAll(() => server.stop())

describe("products and customers over HTTP", () => {
  it("saves, reads and withdraws a product", async () => {
    const saved = await server.send("PUT", "/products/cup", mug)
    const { commandId, position, ...receipt } = saved.body
    assert.deepStrictEqual(receipt, { productId: "cup", version: 1, events: ["product.saved.v1"] })
    assert.isNotEmpty(commandId)
    assert.strictEqual(typeof position, "number")
    assert.deepStrictEqual(
      [saved.status, saved.headers.get("location"), saved.headers.get("etag")],
      [202, "/products/cup", '"1"']
    )
    const same = await server.send("PUT", "/products/cup", mug)
    assert.deepStrictEqual([same.body.events, same.headers.get("location")], [[], null])
    const read = await server.get("/products/cup")
    assert.deepStrictEqual(read.body, { productId: "cup", ...mug, version: 1, withdrawn: false })
    assert.strictEqual((await server.get("/products/cup", { "if-none-match": '"1"' })).status, 304)
    const withdrawn = await server.send("DELETE", "/products/cup", undefined, { prefer: "wait=30" })
    assert.deepStrictEqual([withdrawn.status, withdrawn.body.withdrawn, withdrawn.body.version], [200, true, 2])
  })

  it("saves, reads and withdraws a customer", async () => {
    const saved = await server.send("PUT", "/customers/ada", ada, { prefer: "wait=30" })
    assert.deepStrictEqual(saved.body, { customerId: "ada", ...ada, version: 1, withdrawn: false })
    assert.deepStrictEqual([saved.status, saved.headers.get("preference-applied")], [200, "wait=30"])
    assert.deepStrictEqual((await server.get("/customers/ada")).headers.get("etag"), '"1"')
    const withdrawn = await server.send("DELETE", "/customers/ada")
    assert.deepStrictEqual([withdrawn.status, withdrawn.body.events], [202, ["customer.withdrawn.v1"]])
  })

  it("reads at least as fresh as any token, says how fresh, and refuses a token that is none of this log", async () => {
    const positionOf = (headers: Headers) => BigInt((headers.get("consistency-token") ?? "").split(".")[0]!)
    for (const [path, content] of [
      ["/products/token", mug],
      ["/customers/token", ada]
    ] as const) {
      const saved = await server.send("PUT", path, content)
      const token = saved.headers.get("consistency-token")!
      const read = await server.get(path)
      assert.strictEqual(read.headers.get("consistency-token"), token)
      assert.match(read.headers.get("freshness") ?? "", /^position=\d+, behind=\d+, lag=[\d.]+, parked=0$/)
      const other = await server.send("PUT", `${path}2`, content)
      const later = { "consistency-token": other.headers.get("consistency-token")! }
      const unchanged = await server.get(path, { ...later, "if-none-match": '"1"' })
      assert.deepStrictEqual(
        [unchanged.status, unchanged.headers.get("consistency-token")],
        [304, later["consistency-token"]]
      )
      const [, log] = token.split(".")
      for (const bad of [`${positionOf(other.headers) + 1n}.${log}`, "1.0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000", "x"]) {
        const refused = await server.get(path, { "consistency-token": bad })
        assert.deepStrictEqual([refused.status, refused.body.type], [400, "/problems/invalid-token"], bad)
      }
    }
  })

  it("lists products and customers by id, in pages with a link to the next one", async () => {
    for (const id of ["list-b", "list-a"]) await server.send("PUT", `/products/${id}`, mug)
    const last = await server.send("DELETE", "/products/list-b")
    const token = last.headers.get("consistency-token")!
    const fresh = { "consistency-token": token, prefer: "wait=30" }
    const first = await server.get("/products?limit=1&withdrawn=false", fresh)
    assert.deepStrictEqual([first.status, first.headers.get("preference-applied")], [200, "wait=30"])
    assert.match(first.headers.get("freshness")!, /^position=\d+, behind=\d+, lag=[\d.]+, parked=0$/)
    assert.match(first.headers.get("consistency-token")!, /^\d+\./)
    const ids: Array<string> = []
    let path: string | undefined = "/products?limit=1"
    while (path !== undefined) {
      const { body, headers } = await server.get(path)
      ids.push(...body.data.map(({ productId }: { productId: string }) => productId))
      assert.strictEqual(body.page.hasMore, headers.get("link") !== null)
      path = /^<([^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1]
    }
    assert.deepStrictEqual(
      ids.filter((id) => id.startsWith("list")),
      ["list-a", "list-b"]
    )
    const { body } = await server.get("/products?withdrawn=true&limit=100")
    const listed = body.data.find(({ productId }: { productId: string }) => productId === "list-b")
    assert.deepStrictEqual(listed, (await server.get("/products/list-b")).body)

    for (const [query, slug] of [
      ["?limit=0", "invalid-request"],
      ["?withdrawn=maybe", "invalid-request"],
      ["?colour=blue", "invalid-request"],
      ["?cursor=abc", "invalid-cursor"]
    ] as const) {
      for (const path of ["/products", "/customers"]) {
        const refused = await server.get(path + query)
        assert.deepStrictEqual([refused.status, refused.body.type], [400, `/problems/${slug}`], path + query)
      }
    }
  })

  it("answers 404 for what never was", async () => {
    for (const [path, slug] of [
      ["/products/none", "product-not-found"],
      ["/customers/none", "customer-not-found"]
    ] as const) {
      assert.strictEqual((await server.get(path)).body.type, `/problems/${slug}`)
      const withdrawn = await server.send("DELETE", path)
      assert.deepStrictEqual([withdrawn.status, withdrawn.body.type], [404, `/problems/${slug}`])
    }
  })

  it("honours preconditions", async () => {
    const once = () => server.send("PUT", "/products/once", mug, { "if-none-match": "*" })
    assert.strictEqual((await once()).status, 202)
    assert.strictEqual((await once()).status, 412)
    const change = (tag: string) => server.send("PUT", "/products/once", { ...mug, name: tag }, { "if-match": tag })
    assert.deepStrictEqual((await change('"7"')).body.currentVersion, 1)
    assert.strictEqual((await change('"1"')).status, 202)
  })

  it("refuses what is no product", async () => {
    for (const [change, path] of [
      [{ unitPrice: -1 }, "unitPrice"],
      [{ unitPrice: 0.5 }, "unitPrice"],
      [{ taxBps: 10_001 }, "taxBps"],
      [{ currency: "XXZ" }, "currency"],
      [{ name: "" }, "name"],
      [{ price: 1 }, "price"]
    ] as const) {
      const { body, status } = await server.send("PUT", "/products/bad", { ...mug, ...change })
      assert.deepStrictEqual([status, body.errors[0].path], [400, path])
    }
    assert.strictEqual((await server.send("PUT", "/products/a.b", mug)).body.errors[0].path, "path.id")
  })
})
