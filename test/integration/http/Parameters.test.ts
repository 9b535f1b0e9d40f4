/** What is wrong with a parameter or a member is said by its name, for every parameter of the definition. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { openapi } from "../../../harness/http/Contract.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

interface Parameter {
  readonly path: string
  readonly name: string
}

const parameters = Object.entries(openapi.paths).flatMap(([route, { get }]): ReadonlyArray<Parameter> => {
  const path = route.replace("{id}", "ord_01890000-0000-7000-8000-000000000000")
  const ofQuery = (get?.parameters ?? []).filter((parameter) => parameter.in === "query")
  return ofQuery.map(({ name }) => ({ path, name }))
})

const lists = new Set(["status", "paymentStatus", "type", "category"])
const times = new Set(["placedAfter", "placedBefore"])
const values: Readonly<Record<string, string>> = {
  customerId: "ada",
  placedAfter: "2026-01-01T00:00:00Z",
  placedBefore: "2026-01-01T00:00:00Z",
  sort: "placedAt",
  limit: "1",
  cursor: "x",
  after: "0",
  withdrawn: "true",
  orderId: "ord_01890000-0000-7000-8000-000000000000"
}

const refusal = async (url: string) => {
  const { body, status } = await server.get(url)
  assert.deepStrictEqual([status, body?.type], [400, "/problems/invalid-request"], url)
  return body.errors as ReadonlyArray<{ readonly path: string; readonly message: string }>
}

describe("every parameter of every query", () => {
  it("is in the table of this test", () => {
    assert.isAbove(parameters.length, 15)
    for (const { name } of parameters) assert.isTrue(lists.has(name) || name in values, name)
  })

  it("is refused if it is empty", async () => {
    for (const { name, path } of parameters) {
      const [error, ...others] = await refusal(`${path}?${name}=`)
      assert.strictEqual(error?.path, `query.${name}`, path)
      assert.isEmpty(others)
    }
  })

  it("may be given once, unless it is a list", async () => {
    for (const { name, path } of parameters.filter(({ name }) => !lists.has(name))) {
      const errors = await refusal(`${path}?${name}=${values[name]}&${name}=${values[name]}`)
      assert.deepStrictEqual(errors, [{ path: `query.${name}`, message: "was given twice; give it once" }], path)
    }
  })

  it("that is a time is one that exists", async () => {
    const found = parameters.filter(({ name }) => times.has(name))
    assert.isAtLeast(found.length, 2)
    for (const { name, path } of found) {
      for (const time of [
        "2026-02-30T00:00:00Z",
        "2025-02-29T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-01-01T24:00:00Z"
      ]) {
        assert.strictEqual((await refusal(`${path}?${name}=${time}`))[0]?.path, `query.${name}`, time)
      }
    }
  })

  it("that is spelt otherwise is told its name", async () => {
    for (const { name, path } of parameters.filter(({ name }) => name.length > 4)) {
      const misspelt = `${name.slice(0, -2)}${name.at(-1)}`
      const message = `is unknown here; did you mean ${name}?`
      assert.deepInclude(await refusal(`${path}?${misspelt}=x`), { path: `query.${misspelt}`, message }, path)
    }
    const [error] = await refusal("/orders?customer=ada")
    assert.strictEqual(error?.message, "is unknown here; did you mean customerId?")
  })
})

describe("a member of a body", () => {
  const refused = async (body: unknown, path = "/orders") => {
    const answer = await server.send("POST", path, body)
    assert.deepStrictEqual([answer.status, answer.body.type], [400, "/problems/invalid-request"], answer.text)
    return answer.body.errors as ReadonlyArray<{ readonly path: string; readonly message: string }>
  }
  const order = "/orders/ord_01890000-0000-7000-8000-000000000000"

  it("that is spelt otherwise is told its name", async () => {
    const line = { productId: "mug", quantity: 1 }
    for (const [body, path, meant] of [
      [placement({ customer: "ada" }), "customer", "customerId"],
      [placement({ shipping_address: {} }), "shipping_address", "shippingAddress"],
      [placement({ lines: [{ ...line, qty: 1 }] }), "lines[0].qty", "quantity"],
      [placement({ lines: [{ ...line, sku: "mug" }] }), "lines[0].sku", "productId"]
    ] as const) {
      assert.deepInclude(await refused(body), { path, message: `is unknown here; did you mean ${meant}?` })
    }
    const [error] = await refused({ itmes: [] }, `${order}/shipments`)
    assert.deepStrictEqual(error, { path: "itmes", message: "is unknown here; did you mean items?" })
  })

  it("that names a price is told that prices come from the catalog", async () => {
    for (const name of ["unitPrice", "price", "taxBps"]) {
      const line = { productId: "mug", quantity: 1, [name]: 1 }
      for (const errors of [await refused(placement({ lines: [line] })), await refused(line, `${order}/lines`)]) {
        assert.match(errors[0]?.message ?? "", /the catalog says it/)
      }
    }
  })

  it("that is an empty list is told that it needs an item, and of a shipment alone that it needs no list", async () => {
    const message = "Expected at least one item"
    const shipment = `${message}; a shipment without the member items takes all that is left to ship`
    for (const [path, told] of [
      ["shipments", shipment],
      ["returns", message],
      ["cancel-items", message]
    ] as const) {
      assert.deepStrictEqual(await refused({ items: [] }, `${order}/${path}`), [{ path: "items", message: told }])
    }
    assert.deepStrictEqual(await refused(placement({ lines: [] })), [{ path: "lines", message }])
  })

  it("is in JSON, or the place is named where it is not", async () => {
    const [error] = await refused('{\n  "customerId": ada\n}')
    const message = 'is not JSON: expected a value at line 2, column 17, found "ada\n}"'
    assert.deepStrictEqual(error, { path: "body", message })
  })

  it("that names an unknown product is named by its place", async () => {
    const lines = ["mug", "none", "mug", "none", "nil"].map((productId) => ({ productId, quantity: 1 }))
    const { body, status } = await server.send("POST", "/orders", placement({ lines }))
    assert.deepStrictEqual([status, body.type, body.productIds], [422, "/problems/unknown-product", ["none", "nil"]])
    assert.deepStrictEqual(
      body.errors.map(({ path }: { path: string }) => path),
      ["lines[1].productId", "lines[3].productId", "lines[4].productId"]
    )
  })
})
