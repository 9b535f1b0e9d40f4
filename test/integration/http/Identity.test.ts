import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Deferred, Effect, Redacted, Schema, Stream } from "effect"
import { call, type Call, orderId } from "../../../harness/clients/HttpClient.ts"
import { ada, mug, placement } from "../../../harness/fixtures/Shop.ts"
import { kinds } from "../../../harness/identity/BadCredentials.ts"
import { guarded, type Route, routes } from "../../../harness/identity/Routes.ts"
import * as Tokens from "../../../harness/identity/Tokens.ts"
import { start, type TestServer } from "../../../harness/servers/ApiServer.ts"
import { CustomerId } from "../../../src/order/OrderId.ts"
import { PlaceOrderRequest } from "../../../src/order/OrderRequest.ts"
import { Orders } from "../../../src/orders/Orders.ts"
import * as OrdersClient from "../../../src/http/client/OrdersClient.ts"

const request = Schema.decodeUnknownSync(PlaceOrderRequest)(placement())

let server: TestServer
let tokens: Readonly<Record<"ada" | "bob" | "operator" | "admin", string>>

const as = (who: keyof typeof tokens, method: string, path: string, { body, headers }: Call = {}) =>
  server.send(method, path, body, { ...headers, ...Tokens.bearer(tokens[who]) })

const adasBody = (extra: object = {}) => placement({ shippingCost: undefined, ...extra })

const placed = async (extra: object = {}) => {
  const { body } = await as("ada", "POST", "/orders", { body: adasBody(extra), headers: { prefer: "wait=30" } })
  return body.orderId as string
}

const send = (route: Route, ids: Parameters<Route["path"]>[0], headers: Record<string, string>) =>
  call(server.url, route.method, route.path(ids), {
    headers,
    ...(route.body === undefined ? {} : { body: route.body })
  })

const ended = Deferred.makeUnsafe<void>()

beforeAll(async () => {
  const identity = Tokens.identity()
  server = await start({ identity: { ...identity, ended: () => Deferred.await(ended) } })
  tokens = {
    ada: await Tokens.customer("ada"),
    bob: await Tokens.customer("bob"),
    operator: await Tokens.operator(),
    admin: await Tokens.admin()
  }
  await as("operator", "PUT", "/products/mug", { body: mug })
  for (const id of ["ada", "bob"]) await as("operator", "PUT", `/customers/${id}`, { body: ada })
})
afterAll(() => server.stop())

describe("who is calling", () => {
  it("is asked on every route but those for anybody", async () => {
    const ids = { orderId: orderId(), customerId: "ada" }
    for (const route of routes) {
      const { headers, status } = await send(route, ids, {})
      if (route.who.includes("anyone")) assert.notStrictEqual(status, 401, route.name)
      else {
        assert.strictEqual(status, 401, route.name)
        assert.strictEqual(headers.get("www-authenticate"), 'Bearer realm="orders"', route.name)
      }
    }
  })

  it("is not believed by any forged token or key, on any route", async () => {
    const ids = { orderId: await placed(), customerId: "ada" }
    const makers = Object.entries(kinds)
    // Every kind and every route has its turn; the campaign tries all with all.
    for (let turn = 0; turn < makers.length * 4; turn++) {
      const [kind, make] = makers[turn % makers.length]!
      const route = guarded[turn % guarded.length]!
      const credential = await make(turn, ["customer", "operator", "admin"][turn % 3]!)
      const headers = turn % 2 === 0 ? Tokens.bearer(credential) : { "x-api-key": credential }
      const answer = await send(route, ids, headers)
      assert.strictEqual(answer.status, 401, `${kind} on ${route.name}`)
      assert.match(answer.headers.get("www-authenticate") ?? "", /error="invalid_token"/, kind)
    }
  })

  it("is not found in the URL, nor where it is said twice", async () => {
    assert.strictEqual((await server.get(`/orders?access_token=${tokens.operator}`)).status, 401)
    const twice = { ...Tokens.bearer(tokens.operator), "x-api-key": tokens.operator }
    assert.strictEqual((await server.get("/orders", twice)).status, 401)
    assert.strictEqual((await server.get("/orders", { authorization: `Basic ${tokens.operator}` })).status, 401)
  })

  it("decides what they may do: each route is for the roles that it declares", async () => {
    const ids = { orderId: await placed(), customerId: "ada" }
    for (const route of guarded) {
      if (route.name.startsWith("GET /events")) continue
      const { body, status } = await send(route, ids, Tokens.bearer(tokens.ada))
      const isAllowed = route.who.includes("customer")
      if (!isAllowed) assert.deepStrictEqual([status, body.type], [403, "/problems/forbidden"], route.name)
      else assert.notInclude([401, 403], status, route.name)
    }
    for (const who of ["operator", "admin"] as const) {
      assert.strictEqual((await as(who, "GET", "/projections")).status, 200)
      assert.strictEqual((await as(who, "GET", "/customers")).status, 200)
    }
  })

  it("is the actor of every event, which a customer is told of themselves only", async () => {
    const id = await placed()
    await as("operator", "POST", `/orders/${id}/cancel-items`, { body: { items: [{ lineId: "line_1", quantity: 1 }] } })
    const actors = async (who: "ada" | "operator") =>
      (await as(who, "GET", `/orders/${id}/events`)).body.map(({ actor }: { actor?: string }) => actor)
    assert.deepStrictEqual(await actors("operator"), ["customer:ada", "customer:ada", "operator:olga"])
    assert.deepStrictEqual(await actors("ada"), ["customer:ada", "customer:ada", undefined])
  })
})

describe("a client with a token", () => {
  it("calls as its holder, streams included, and says which right it lacks", async () => {
    const layer = OrdersClient.layer({ baseUrl: server.url, token: Redacted.make(tokens.ada), retries: 0 })
    const told = await Effect.gen(function* () {
      const orders = yield* Orders
      const { orderId } = yield* orders.place({ ...request, customerId: CustomerId.make("ada") })
      const [first] = yield* Stream.runCollect(Stream.take(orders.events({ orderId, after: 0n }), 1))
      const other = yield* Effect.flip(orders.place({ ...request, customerId: CustomerId.make("bob") }))
      return { isSame: first?.streamId === `order-${orderId}`, other }
    }).pipe(Effect.provide(layer), Effect.runPromise)
    assert.isTrue(told.isSame)
    assert.match(told.other.message, /this client may not do that, which needs to be that customer/)
  })
})

describe("another customer", () => {
  it("finds another's order on no route, with the answer of one that does not exist", async () => {
    const id = await placed()
    const missing = orderId()
    for (const route of routes.filter(({ name }) => /^\w+ \/orders\/\{id\}/.test(name))) {
      const answers = []
      for (const orderId of [id, missing]) {
        for (const headers of [{}, { "if-match": '"1"' }, { "if-none-match": '"2"' }, { prefer: "wait=1" }]) {
          const { body, status } = await send(
            route,
            { orderId, customerId: "bob" },
            { ...Tokens.bearer(tokens.bob), ...headers }
          )
          const text = JSON.stringify({ ...body, instance: "" }).replaceAll(orderId, "it")
          answers.push({ orderId, status, text })
        }
      }
      for (let at = 0; at < 4; at++) {
        const [own, none] = [answers[at]!, answers[at + 4]!]
        assert.deepStrictEqual([own.status, own.text], [none.status, none.text], route.name)
        // If-None-Match of a command can only be *.
        assert.include(at === 2 ? [400, 403, 404] : [403, 404], own.status, route.name)
      }
    }
    // The view knows it by now, and so does the memory of owners.
    assert.strictEqual((await as("ada", "GET", `/orders/${id}`)).status, 200)
    assert.strictEqual((await as("bob", "GET", `/orders/${id}`)).status, 404)
  })

  it("lists and counts their own orders only, and can't go on in another's list", async () => {
    await placed()
    await placed()
    const { body } = await as("ada", "GET", "/orders?limit=1")
    assert.lengthOf(body.data, 1)
    assert.deepStrictEqual((await as("bob", "GET", "/orders")).body, { data: [], page: { hasMore: false } })
    const counts: Record<string, number> = (await as("bob", "GET", "/orders/counts")).body
    assert.isTrue(Object.values(counts).every((count) => count === 0))
    for (const sort of ["", "&sort=placedAt", "&sort=updatedAt"]) {
      const { next } = (await as("ada", "GET", `/orders?limit=1${sort}`)).body.page
      const stolen = await as("bob", "GET", `/orders?limit=1${sort}&cursor=${next}`)
      assert.deepStrictEqual([stolen.status, stolen.body.type], [400, "/problems/invalid-cursor"], sort)
      assert.strictEqual((await as("ada", "GET", `/orders?limit=1${sort}&cursor=${next}`)).status, 200, sort)
    }
  })

  it("may not name another customer, nor what only operators set", async () => {
    const lines = [{ productId: "mug", quantity: 1, unitDiscount: 1 }]
    const asked = [
      ["POST", "/orders", placement()],
      ["POST", "/orders", placement({ customerId: "bob", shippingCost: 0 })],
      ["POST", "/orders", placement({ customerId: "bob", lines })],
      ["POST", `/orders/${await placed({ confirm: false })}/lines`, lines[0]],
      ["GET", "/orders?customerId=ada"],
      ["GET", "/orders/counts?customerId=ada"],
      ["GET", "/events?customerId=ada"],
      ["GET", "/events?category=customer"]
    ] as const
    for (const [method, path, body] of asked) {
      const answer = await as("bob", method, path, { body })
      assert.deepStrictEqual([answer.status, answer.body.type], [403, "/problems/forbidden"], `${method} ${path}`)
    }
    assert.strictEqual((await as("bob", "GET", "/customers/bob")).status, 200)
    const [other, none] = [await as("bob", "GET", "/customers/ada"), await as("bob", "GET", "/customers/nobody")]
    assert.deepStrictEqual([other.status, other.body.type], [none.status, none.body.type])
    assert.strictEqual(other.status, 404)
  })

  it("learns nothing by another's idempotency key, nor of an order whose id they choose", async () => {
    const key = { "idempotency-key": "the same" }
    const first = await as("ada", "POST", "/orders", { body: adasBody(), headers: key })
    const second = await as("bob", "POST", "/orders", { body: adasBody({ customerId: "bob" }), headers: key })
    assert.notStrictEqual(second.body.orderId, first.body.orderId)
    assert.isNull(second.headers.get("idempotent-replayed"))
    for (const headers of [{}, { "if-none-match": "*" }, { "if-match": '"1"' }]) {
      const body = adasBody({ customerId: "bob", orderId: first.body.orderId })
      const taken = await as("bob", "POST", "/orders", { body, headers })
      assert.deepStrictEqual([taken.status, taken.body.type], [409, "/problems/order-exists"])
      assert.notProperty(taken.body, "currentVersion")
    }
  })

  it("is sent their own events only, and none once the token is over", async () => {
    const protocols = (who: "ada" | "bob") => ["cloudevents.json", `bearer.${tokens[who]}`]
    const open = (who: "ada" | "bob", query = "") =>
      new Promise<{ seen: Array<string>; closed: Promise<CloseEvent>; heard: (id: string) => Promise<void> }>(
        (resolve, reject) => {
          const socket = new WebSocket(`${server.url.replace("http", "ws")}/events/ws${query}`, protocols(who))
          const seen: Array<string> = []
          const waiting = new Map<string, () => void>()
          const closed = new Promise<CloseEvent>((done) => socket.addEventListener("close", done))
          const heard = (id: string) =>
            seen.includes(id) ? Promise.resolve() : new Promise<void>((done) => waiting.set(id, done))
          socket.addEventListener("error", reject)
          socket.addEventListener("message", ({ data }) => {
            const { control, subject } = JSON.parse(String(data))
            if (control === "caught-up") resolve({ seen, closed, heard })
            if (subject === undefined) return
            seen.push(subject)
            waiting.get(subject)?.()
          })
        }
      )
    const adas = await open("ada")
    const bobs = await open("bob")
    const hers = await placed()
    const his = (await as("bob", "POST", "/orders", { body: adasBody({ customerId: "bob" }) })).body.orderId
    await bobs.heard(his)
    // Whatever of his would have come to her has come before this order of hers.
    const last = await placed()
    await Promise.all([adas.heard(hers), adas.heard(last)])
    assert.notInclude(adas.seen, his)
    assert.notInclude(bobs.seen, hers)
    const stream = await fetch(`${server.url}/events`, { headers: Tokens.bearer(tokens.ada) })
    Deferred.doneUnsafe(ended, Effect.void)
    assert.strictEqual((await adas.closed).code, 1008)
    assert.strictEqual((await bobs.closed).code, 1008)
    assert.include(await stream.text(), "heartbeat")
  })
})
