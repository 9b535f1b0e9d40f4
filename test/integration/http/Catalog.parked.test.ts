/** Sends `Prefer: wait` with changes of the catalog while its view has set aside the product or customer. */
import { afterAll, afterEach, assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CustomerId, ProductId } from "../../../src/order/OrderId.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import { CatalogViewProjection } from "../../../src/views/catalog/CatalogViewProjection.ts"
import { type Shop, start } from "../../../harness/servers/AdminServer.ts"
import { poisoned } from "../../../harness/faults/PoisonedView.ts"
import { client } from "../../../harness/orders/BothOrders.ts"
import { ada, mug } from "../../../harness/fixtures/Shop.ts"

const { projection, state } = poisoned(
  ({ streamId, version }) => streamId.endsWith("-poison") && version === 2,
  CatalogViewProjection
)

let shop: Shop
beforeAll(async () => {
  shop = await start(projection)
})
afterAll(() => shop.stop())

beforeEach(() => {
  state.isFixed = false
})
const mend = async () => {
  state.isFixed = true
  const { body } = await shop.operators.get("/admin/parked")
  for (const { id } of body.data) await shop.operators.send("POST", `/admin/parked/${id}/retry`)
}
afterEach(mend)

const wait = { prefer: "wait=30" }

describe.each([
  ["/products", "productId", ProductId, mug],
  ["/customers", "customerId", CustomerId, ada]
] as const)("a command on %s that would wait", (path, idName, Id, content) => {
  const save = (id: string, name: string) => shop.api.send("PUT", `${path}/${id}`, { ...content, name }, wait)
  const put = (id: string, name: string) => Effect.promise(() => save(id, name))

  it("is answered with the receipt for what the view has set aside, until that is followed again", async () => {
    assert.strictEqual((await save("poison", "One")).status, 200)
    for (const [name, version] of [
      ["Two", 2],
      ["Three", 3],
      ["Three", 3]
    ] as const) {
      const { body, headers, status } = await save("poison", name)
      assert.deepStrictEqual([status, body[idName], body.version], [202, "poison", version])
      assert.deepStrictEqual([headers.get("preference-applied"), headers.get("etag")], [null, `"${version}"`])
    }
    const withdrawn = await shop.api.send("DELETE", `${path}/poison`, undefined, wait)
    assert.deepStrictEqual([withdrawn.status, withdrawn.body.version], [202, 4])

    const token = withdrawn.headers.get("consistency-token") ?? ""
    const list = await shop.api.get(`${path}?limit=100`, { "consistency-token": token, ...wait })
    assert.strictEqual(list.status, 200)
    assert.match(list.headers.get("freshness") ?? "", /, parked=1$/)
    const listed = list.body.data.find((item: { readonly [id: string]: string }) => item[idName] === "poison")
    assert.containSubset(listed, { name: "One", version: 1 })
    // Other products and customers are not held up.
    const other = await save("other", "Other")
    assert.deepStrictEqual([other.status, other.headers.get("preference-applied")], [200, "wait=30"])

    await mend()
    const back = await save("poison", "Five")
    assert.deepStrictEqual([back.status, back.body.version], [200, 5])
  })

  it("fails as parked in a program that waits for that one, in the same process and from afar", () =>
    shop.run(
      Effect.gen(function* () {
        const id = Id.make("program-poison")
        const [local, remote] = [yield* Orders, yield* client({ baseUrl: shop.api.url })]
        const before = (yield* put(id, "One")).headers.get("consistency-token") ?? ""
        const after = (yield* put(id, "Two")).headers.get("consistency-token") ?? ""
        for (const orders of [local, remote]) {
          yield* orders.awaitCatalog(after)
          const behind = yield* Effect.flip(orders.awaitCatalog(after, { [idName]: id }))
          assert.containSubset(behind, { _tag: "ProjectionBehind", parked: true })
        }
        // The list has the older version, so a wait for that one succeeds; a remote client can't tell the two apart.
        yield* local.awaitCatalog(before, { [idName]: id })
        yield* local.awaitCatalog(after, { [idName]: Id.make("other") })
      }).pipe(Effect.scoped)
    ))
})
