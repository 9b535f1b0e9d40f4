import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { placement } from "../../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../../harness/clients/CheckedClient.ts"
import { start, type TestServer } from "../../../../harness/servers/ApiServer.ts"
import { followSse, followWs, type Follower, isEvent } from "../../../../harness/streams/StreamConnection.ts"

let server: TestServer
beforeAll(async () => {
  server = await withCatalog(await start())
  await server.send("PUT", "/customers/grace", { name: "Grace", email: "grace@example.org" })
})
afterAll(() => server.stop())

const place = async (extra: object = {}) => {
  const { body } = await server.send("POST", "/orders", placement(extra))
  return { id: body.orderId as string, position: body.position as number }
}

const reached = (position: number) => (message: { readonly position: number }) => message.position >= position

describe.each([
  ["SSE", (query?: string): Promise<Follower> => followSse(server.url, query)],
  ["WebSocket", (query?: string): Promise<Follower> => followWs(server.url, query)]
])("events over %s", (_, follow) => {
  it("tells from now on what happens, once it has said that it is caught up", async () => {
    await place()
    const follower = await follow()
    const { data, position } = await follower.until(({ name }) => name === "caught-up")
    const after = data.after as string
    assert.match(after, new RegExp(`^${position}[.][0-9a-f]{12}$`))
    assert.deepStrictEqual(data, { control: "caught-up", position, after })
    // The first message tells where the stream begins, so that a cut before the next one loses nothing.
    assert.deepStrictEqual(follower.messages[0]!.data, { control: "heartbeat", position, after })
    const placed = await place()
    await follower.until(reached(placed.position))
    assert.deepStrictEqual(follower.positions(), [placed.position - 1, placed.position])
    const [first, second] = follower.messages.filter(isEvent)
    assert.deepStrictEqual([first!.name, second!.name], ["order.placed.v1", "order.confirmed.v1"])
    assert.containSubset(first!.data, {
      specversion: "1.0",
      source: "/orders",
      subject: placed.id,
      sequence: String(placed.position - 1).padStart(20, "0"),
      data: { customerId: "ada" }
    })
    assert.notProperty(first!.data, "ahead")
    follower.cut()
  })

  it("tells the past first, then says that it is caught up, then goes on", async () => {
    const before = await place()
    const follower = await follow("?after=0")
    const caughtUp = await follower.until(({ name }) => name === "caught-up")
    assert.isAtLeast(caughtUp.position, before.position)
    const after = await place()
    await follower.until(reached(after.position))
    const history = await server.get(`/orders/${before.id}/events`)
    const seen = follower.messages.filter(({ data }) => data.subject === before.id)
    assert.strictEqual(seen.length, history.body.length)
    for (const [index, { data }] of seen.entries()) {
      assert.deepStrictEqual(data, { ...history.body[index], after: data.after })
    }
    assert.strictEqual(follower.messages.filter(({ name }) => name === "caught-up").length, 1)
    follower.cut()
  })

  it("keeps to an order, a customer, types, categories", async () => {
    const mine = await place()
    const hers = await place({ customerId: "grace" })
    const only = async (query: string) => {
      const follower = await follow(`?after=0&${query}`)
      await follower.until(({ name }) => name === "caught-up")
      follower.cut()
      return follower.messages.filter(isEvent)
    }
    const subjects = async (query: string) => new Set((await only(query)).map(({ data }) => data.subject))
    assert.deepStrictEqual(await subjects(`orderId=${mine.id}`), new Set([mine.id]))
    const ofGrace = await subjects("customerId=grace")
    assert.deepStrictEqual([ofGrace.has(hers.id), ofGrace.has(mine.id)], [true, false])
    assert.deepStrictEqual(await subjects(`customerId=grace&orderId=${mine.id}`), new Set())
    const names = async (query: string) => new Set((await only(query)).map(({ name }) => name))
    assert.deepStrictEqual(await names("type=order.confirmed.v1"), new Set(["order.confirmed.v1"]))
    assert.deepStrictEqual(await names(""), new Set(["order.placed.v1", "order.confirmed.v1"]))
    const catalog = ["product.saved.v1", "customer.saved.v1"]
    assert.deepStrictEqual(await names("category=product,customer"), new Set(catalog))
    assert.deepStrictEqual(
      await names(`category=order,product&type=order.placed.v1,${catalog[0]}`),
      new Set(["order.placed.v1", catalog[0]!])
    )
  })
})

describe("events over SSE", () => {
  it("names each message after its type, with its position as id", async () => {
    const { id, position } = await place()
    const follower = await followSse(server.url, `?after=0&orderId=${id}`)
    await follower.until(({ name }) => name === "caught-up")
    for (const { data, id, name, position } of follower.messages) {
      assert.deepStrictEqual([id, name], [data.after, data.control ?? data.type])
      assert.strictEqual(id?.split(".")[0], String(position))
    }
    assert.isAtLeast(follower.last()!, position)
    follower.cut()
  })

  it("goes on after Last-Event-ID, which wins over after", async () => {
    const { position } = await place()
    const follower = await followSse(server.url, "?after=0", { "last-event-id": String(position - 1) })
    await follower.until(({ name }) => name === "caught-up")
    assert.deepStrictEqual(follower.positions(), [position])
    follower.cut()
  })

  it("answers at once, though nothing matches", async () => {
    const response = await fetch(`${server.url}/events?orderId=ord_01890000-0000-7000-8000-000000000000`)
    assert.deepStrictEqual(
      [response.status, response.headers.get("content-type"), response.headers.get("cache-control")],
      [200, "text/event-stream", "no-cache"]
    )
    assert.isNotEmpty(response.headers.get("x-request-id"))
    // The header asks proxies not to buffer the stream.
    assert.strictEqual(response.headers.get("x-accel-buffering"), "no")
    const reader = response.body!.getReader()
    const { value } = await reader.read()
    assert.match(new TextDecoder().decode(value), /^retry: [12]\d{3}\n\nid: \d+\.[0-9a-f]{12}\nevent: heartbeat\n/)
    await reader.cancel()
  })

  it("refuses with a problem document what it can't read, and a position above the head", async () => {
    for (const [query, path] of [
      ["after=-1", "query.after"],
      ["after=1e3", "query.after"],
      ["orderId=17", "query.orderId"],
      ["customerId=", "query.customerId"],
      ["type=everything", "query.type[0]"],
      ["category=orders", "query.category[0]"],
      ["since=1", "query.since"]
    ]) {
      const { body, status } = await server.get(`/events?${query}`)
      assert.deepStrictEqual([status, body.type, body.errors[0].path], [400, "/problems/invalid-request", path], query)
    }
    for (const id of ["abc", "7,8", "7.8"]) {
      const { body, status } = await server.get("/events?after=0", { "last-event-id": id })
      assert.deepStrictEqual([status, body.errors[0].path], [400, "header.last-event-id"], id)
    }
    for (const id of ["999999999", "1.0123456789ab"]) {
      const { body, status } = await server.get("/events", { "last-event-id": id })
      assert.deepStrictEqual([status, body.type], [400, "/problems/invalid-position"], id)
      assert.deepStrictEqual((await server.get(`/events?after=${id}`)).body.position, body.position)
    }
  })

  it("answers HEAD like GET, without following", async () => {
    const { headers, status } = await server.request("HEAD", "/events")
    assert.deepStrictEqual([status, headers.get("content-type")], [200, "text/event-stream"])
  })
})
