import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { placement } from "../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
})
afterAll(() => server.stop())

const place = async (extra: object = {}) => {
  const { body, headers } = await server.send("POST", "/orders", placement(extra))
  return { id: body.orderId as string, token: headers.get("consistency-token") ?? "" }
}

const linkOf = (headers: Headers): string => /^<([^>]+)>; rel="next"$/.exec(headers.get("link") ?? "")?.[1] ?? ""

describe("queries over HTTP", () => {
  it("reads what the token is of, fresh", async () => {
    const { id, token } = await place()
    const { body, headers, status } = await server.get(`/orders/${id}`, { "consistency-token": token })
    assert.deepStrictEqual([status, body.orderId, body.version], [200, id, 2])
    assert.strictEqual(headers.get("etag"), '"2"')
    assert.strictEqual(headers.get("cache-control"), "private, no-cache")
    assert.isNotEmpty(headers.get("consistency-token"))
    assert.match(headers.get("freshness") ?? "", /^position=\d+, behind=\d+, lag=[\d.]+, parked=0$/)
  })

  it("answers 304 without a body if the caller has that version", async () => {
    const { id, token } = await place()
    const read = (tag: string) => server.get(`/orders/${id}`, { "consistency-token": token, "if-none-match": tag })
    for (const tag of ['"2"', 'W/"2"', '"1", "2"', "*"]) {
      const { headers, status, text } = await read(tag)
      assert.deepStrictEqual([status, text, headers.get("etag")], [304, "", '"2"'], tag)
    }
    assert.strictEqual((await read('"1"')).status, 200)
    assert.strictEqual((await read("what?")).status, 200)
  })

  it("answers 404 for an order that is not there, 400 for an id that can't be one", async () => {
    const missing = await server.get("/orders/ord_01890000-0000-7000-8000-000000000000")
    assert.deepStrictEqual([missing.status, missing.body.type], [404, "/problems/order-not-found"])
    const malformed = await server.get("/orders/17")
    assert.deepStrictEqual([malformed.status, malformed.body.errors[0].path], [400, "path.id"])
  })

  it("refuses a token of another log or above the head", async () => {
    const { id, token } = await place()
    for (const bad of [
      "rubbish",
      token.replace(/\..*/, ".00000000-0000-4000-8000-000000000000"),
      token.replace(/^\d+/, "99999")
    ]) {
      const answer = await server.get(`/orders/${id}`, { "consistency-token": bad })
      assert.deepStrictEqual([answer.status, answer.body.type], [400, "/problems/invalid-token"], bad)
    }
  })

  it("lists in pages, each with a link to the next", async () => {
    const customerId = "pages"
    await server.send("PUT", `/customers/${customerId}`, { name: "P", email: "p@example.org" })
    const ids: Array<string> = []
    let token = ""
    for (let count = 0; count < 5; count++) {
      const placed = await place({ customerId })
      ids.push(placed.id)
      token = placed.token
    }
    const seen: Array<string> = []
    let url = `/orders?customerId=${customerId}&sort=placedAt&limit=2&status=confirmed,shipped`
    for (let pages = 0; url !== ""; pages++) {
      assert.isBelow(pages, 3)
      const { body, headers, status } = await server.get(url, { "consistency-token": token, prefer: "wait=30" })
      assert.deepStrictEqual([status, headers.get("preference-applied")], [200, "wait=30"])
      seen.push(...body.data.map((view: { orderId: string }) => view.orderId))
      assert.strictEqual(body.page.hasMore, linkOf(headers) !== "")
      assert.strictEqual(new URLSearchParams(linkOf(headers).split("?")[1]).get("cursor") ?? undefined, body.page.next)
      url = linkOf(headers)
    }
    assert.deepStrictEqual(seen, ids)
  })

  it("links to the next page only if there is one, and says where a list of changes is polled on", async () => {
    const customerId = "polled"
    await server.send("PUT", `/customers/${customerId}`, { name: "P", email: "p@example.org" })
    const { id } = await place({ customerId })
    const { token } = await place({ customerId })
    const list = (query: string) =>
      server.get(`/orders?customerId=${customerId}&${query}`, { "consistency-token": token, prefer: "wait=30" })
    const first = await list("sort=updatedAt&limit=1")
    assert.hasAllKeys(first.body.page, ["hasMore", "next"])
    assert.include(linkOf(first.headers), `cursor=${first.body.page.next}`)
    const last = await list(`sort=updatedAt&limit=1&cursor=${first.body.page.next}`)
    assert.hasAllKeys(last.body.page, ["hasMore", "resume"])
    assert.deepStrictEqual([last.body.page.hasMore, last.headers.get("link")], [false, null])
    const polled = await list(`sort=updatedAt&cursor=${last.body.page.resume}`)
    assert.deepStrictEqual([polled.body.data, polled.headers.get("link")], [[], null])
    const shipped = await server.send("POST", `/orders/${id}/shipments`, {}, { prefer: "wait=30" })
    assert.strictEqual(shipped.status, 200)
    const changed = await list(`sort=updatedAt&cursor=${polled.body.page.resume}`)
    assert.strictEqual(changed.body.data[0].orderId, id)
    for (const path of ["/orders?sort=placedAt&customerId=polled", "/products", "/customers?withdrawn=true"]) {
      const { body, headers } = await server.get(path)
      assert.deepStrictEqual([body.page, headers.get("link")], [{ hasMore: false }, null], path)
    }
  })

  it("counts orders by status, every status, as fresh as the token", async () => {
    const customerId = "counted"
    await server.send("PUT", `/customers/${customerId}`, { name: "C", email: "c@example.org" })
    const { id } = await place({ customerId })
    await place({ customerId, confirm: false })
    const shipped = await server.send("POST", `/orders/${id}/shipments`, {})
    const token = shipped.headers.get("consistency-token") ?? ""
    const counts = (query: string, more: Record<string, string> = {}) =>
      server.get(`/orders/counts${query}`, { "consistency-token": token, prefer: "wait=30", ...more })
    const { body, headers, status } = await counts(`?customerId=${customerId}`)
    const statuses = ["confirmed", "partially_shipped", "delivered", "returned", "cancelled"]
    const none = Object.fromEntries(statuses.map((status) => [status, 0]))
    assert.deepStrictEqual([status, body], [200, { ...none, placed: 1, shipped: 1 }])
    assert.strictEqual(headers.get("preference-applied"), "wait=30")
    assert.match(headers.get("freshness") ?? "", /^position=\d+, behind=\d+, lag=[\d.]+, parked=0$/)
    assert.isAtLeast(Number.parseInt(headers.get("consistency-token") ?? ""), Number.parseInt(token))
    const all = await counts("")
    assert.isAtLeast(all.body.confirmed, 1)
    for (const [query, path] of [
      ["?custmerId=ada", "query.custmerId"],
      ["?status=placed", "query.status"],
      ["?customerId=a%00b", "query.customerId"]
    ] as const) {
      const refused = await counts(query)
      assert.deepStrictEqual([refused.status, refused.body.errors?.[0].path], [400, path], query)
    }
    const above = await counts("", { "consistency-token": token.replace(/^\d+/, "99999") })
    assert.deepStrictEqual([above.status, above.body.type], [400, "/problems/invalid-token"])
    assert.strictEqual((await server.send("POST", "/orders/counts")).status, 405)
  })

  it("takes a list as one parameter with commas, or as one parameter for each, and so does the link to the next", async () => {
    await server.send("PUT", "/customers/lists", { name: "L", email: "l@example.org" })
    const { id: confirmed } = await place({ customerId: "lists" })
    const { id: placed, token } = await place({ customerId: "lists", confirm: false })
    const listed = async (status: string) => {
      const first = await server.get(`/orders?customerId=lists&limit=1&${status}`, { "consistency-token": token })
      const second = await server.get(linkOf(first.headers), { "consistency-token": token })
      return [first, second].flatMap(({ body }) => body.data.map((view: { orderId: string }) => view.orderId))
    }
    for (const status of ["status=placed,confirmed", "status=placed&status=confirmed"]) {
      assert.deepStrictEqual(await listed(status), [placed, confirmed], status)
    }
    assert.strictEqual((await server.get("/orders?status=placed&status=lost")).status, 400)
  })

  it("refuses what it does not know in a query, instead of leaving the filter out", async () => {
    for (const [query, path] of [
      ["custmerId=ada", "query.custmerId"],
      ["status=lost", "query.status[0]"],
      ["limit=0", "query.limit"],
      ["limit=101", "query.limit"],
      ["limit=1e1", "query.limit"],
      ["limit=1&limit=2", "query.limit"],
      ["sort=total", "query.sort"],
      ["placedAfter=yesterday", "query.placedAfter"],
      ["placedBefore=2026-13-01T00:00:00Z", "query.placedBefore"],
      ["customerId=a%00b", "query.customerId"]
    ]) {
      const { body, status } = await server.get(`/orders?${query}`)
      assert.deepStrictEqual([status, body.type, body.errors[0].path], [400, "/problems/invalid-request", path], query)
    }
    assert.strictEqual((await server.get("/orders/ord_01890000-0000-7000-8000-000000000000?x=1")).status, 400)
    assert.strictEqual((await server.send("POST", "/orders?dryRun=true", placement())).status, 400)
  })

  it("refuses a cursor that it did not give", async () => {
    const { body, status } = await server.get("/orders?cursor=rubbish")
    assert.deepStrictEqual([status, body.type], [400, "/problems/invalid-cursor"])
  })

  it("tells an order's history as a CloudEvents batch, in pages", async () => {
    const { id } = await place()
    const first = await server.get(`/orders/${id}/events?limit=1`)
    assert.strictEqual(first.headers.get("content-type"), "application/cloudevents-batch+json")
    const [event] = first.body
    assert.deepStrictEqual(
      [event.specversion, event.type, event.source, event.subject, event.partitionkey, event.streamversion],
      ["1.0", "order.placed.v1", "/orders", id, id, 1]
    )
    assert.match(event.sequence, /^\d{20}$/)
    assert.match(event.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.strictEqual(event.data.customerId, "ada")
    const next = await server.get(linkOf(first.headers))
    assert.deepStrictEqual(
      next.body.map(({ type }: { type: string }) => type),
      ["order.confirmed.v1"]
    )
    assert.strictEqual((await server.get(`/orders/${id}/events?after=2`)).text, "[]")
    assert.strictEqual((await server.get("/orders/ord_01890000-0000-7000-8000-000000000000/events")).status, 404)
  })

  it("answers HEAD like GET, without a body", async () => {
    const { status, text } = await server.request("HEAD", "/orders")
    assert.deepStrictEqual([status, text], [200, ""])
    assert.strictEqual((await server.request("HEAD", "/orders/17")).status, 400)
  })

  it("answers JSON whatever the caller would accept", async () => {
    const { headers, status } = await server.get("/orders", { accept: "image/png" })
    assert.deepStrictEqual([status, headers.get("content-type")], [200, "application/json"])
  })
})
