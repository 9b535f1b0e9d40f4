import { readFileSync } from "node:fs"
import { dirname, relative, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { FetchHttpClient, HttpClient, HttpClientRequest } from "effect/http"
import { HttpApi, HttpApiClient } from "effect/http-api"
import { Api } from "../../../src/http/api/Api.ts"
import { ProductNotFound } from "../../../src/catalog/Product.ts"
import { OrderNotFound } from "../../../src/order/OrderRejection.ts"
import { OrderId, ProductId } from "../../../src/order/OrderId.ts"
import { sendErrors } from "../../../src/http/api/EndpointErrors.ts"
import { AllowedRoles } from "../../../src/http/api/AllowedRoles.ts"
import { commandTable } from "../../../harness/http/CommandTable.ts"
import { openapi, slugsOf } from "../../../harness/http/Contract.ts"
import { ada, mug, placement } from "../../../harness/fixtures/Shop.ts"
import { withCatalog } from "../../../harness/clients/CheckedClient.ts"
import { start } from "../../../harness/servers/ApiServer.ts"

const src = resolve(import.meta.dirname, "../../../src")

/** Finds the files and packages that a file loads at run time, directly and by way of others. */
const closure = (file: string, seen: Set<string> = new Set()): Set<string> => {
  if (seen.has(file)) return seen
  seen.add(file)
  const text = readFileSync(file, "utf8")
  for (const [, clause = "", from = ""] of text.matchAll(/^(?:import|export)\s([^"]*?)from\s+"([^"]+)"/gms)) {
    if (clause.startsWith("type ")) continue
    if (from.startsWith(".")) closure(resolve(dirname(file), from), seen)
    else seen.add(from)
  }
  return seen
}

/** The contract has these endpoints. */
const routes = [
  "POST /orders",
  "POST /orders/{id}/lines",
  "PATCH /orders/{id}/lines/{lineId}",
  "DELETE /orders/{id}/lines/{lineId}",
  "PUT /orders/{id}/shipping-address",
  "POST /orders/{id}/confirm",
  "POST /orders/{id}/cancel",
  "POST /orders/{id}/cancel-items",
  "POST /orders/{id}/shipments",
  "POST /orders/{id}/shipments/{shipmentId}/deliver",
  "POST /orders/{id}/returns",
  "POST /orders/{id}/payments",
  "POST /orders/{id}/payments/{paymentId}/capture",
  "POST /orders/{id}/payments/{paymentId}/void",
  "POST /orders/{id}/payments/{paymentId}/refund",
  "PUT /products/{id}",
  "GET /products/{id}",
  "GET /products",
  "DELETE /products/{id}",
  "PUT /customers/{id}",
  "GET /customers/{id}",
  "GET /customers",
  "DELETE /customers/{id}",
  "GET /orders/{id}",
  "GET /orders",
  "GET /orders/counts",
  "GET /orders/{id}/events",
  "GET /orders/{id}/versions/{version}",
  "GET /events",
  "GET /events/ws",
  "GET /projections",
  "GET /health/live",
  "GET /health/ready",
  "GET /problems/{slug}"
]

const operations = Object.entries(openapi.paths).flatMap(([path, item]) =>
  (["get", "put", "post", "delete", "patch"] as const).flatMap((method) => {
    const operation = item[method]
    return operation === undefined ? [] : [{ name: `${method.toUpperCase()} ${path}`, operation }]
  })
)

describe("the definition of the API", () => {
  it("imports no server", () => {
    const files = [...closure(resolve(src, "http/api/Api.ts"))].map((file) =>
      file.startsWith("/") ? relative(src, file).replaceAll("\\", "/") : file
    )
    assert.include(files, "http/api/OrderApi.ts")
    assert.include(files, "views/order/OrderView.ts")
    for (const file of files) {
      assert.notMatch(
        file,
        /^node:|platform-node|sql|Handlers|Server|Orders\.ts|Aggregates|^database\/(?!DatabaseErrors)|EventStore(?!Errors)/,
        file
      )
    }
  })

  it("describes every route, and nothing else", () => {
    assert.sameMembers(
      operations.map(({ name }) => name),
      routes
    )
  })

  it("describes the problems of each: a bad request and a defect everywhere, the body's and the state's on commands", () => {
    for (const { name, operation } of operations) {
      const { responses } = operation
      const isCommand = !name.startsWith("GET")
      const read = [name === "GET /events/ws" ? 101 : 200, 400, 403, 500]
      const expected = isCommand ? [400, 403, 408, 412, 413, 415, 500, 503, 202, 409] : read
      for (const status of expected) assert.property(responses, String(status), name)
      for (const [status, response] of Object.entries(responses)) {
        const types = Object.keys(response.content ?? {})
        if (Number(status) >= 400) assert.deepStrictEqual(types, ["application/problem+json"], `${name} ${status}`)
      }
    }
  })

  it("says of every route who may send it, in the definition and in OpenAPI; of commands as the contract does", () => {
    const defined: Array<ReadonlyArray<unknown>> = []
    HttpApi.reflect(Api, {
      onGroup: () => {},
      onEndpoint: ({ endpoint }) => {
        const who: unknown = endpoint.annotations.mapUnsafe.get(AllowedRoles.key)
        const path = endpoint.path.replace(/:(\w+)/g, "{$1}")
        if (who !== undefined) defined.push([`${endpoint.method} ${path}`, who])
      }
    })
    const expected = commandTable.map(({ route, who }) => [route, [...who]])
    const ofCommands = (all: typeof defined) => all.filter(([name]) => !String(name).startsWith("GET"))
    assert.sameDeepMembers(ofCommands(defined), expected)
    assert.sameMembers(
      defined.map(([name]) => name),
      routes
    )
    const documented = operations.flatMap(({ name, operation }) => {
      const who: unknown = Reflect.get(operation, "x-who")
      assert.match(
        operation.description ?? "",
        /\b(operators? (may send|sees)|may an operator|Anybody may send)\b/,
        name
      )
      return [[name, who]]
    })
    assert.sameDeepMembers(documented, defined)
    assert.deepStrictEqual(
      operations.flatMap(({ name }) => (name.startsWith("GET") ? [] : [name])).sort(),
      commandTable.map(({ route }) => route).sort()
    )
  })

  it("lists for each command its own problems, those of any command, and no other", () => {
    const ofAny = [
      ...new Set(sendErrors.map(({ slug }) => slug)),
      "invalid-request",
      "foreign-host",
      "foreign-origin",
      "internal",
      "not-served-here",
      "rate-limited",
      "unauthorized",
      "forbidden",
      "identity-unavailable",
      "request-timeout",
      "content-too-large",
      "unsupported-media-type"
    ]
    for (const { problems, route } of commandTable) {
      const operation = operations.find(({ name }) => name === route)
      assert.isDefined(operation, route)
      assert.sameMembers([...slugsOf(operation.operation)], [...ofAny, ...problems], route)
    }
  })

  it("refuses what it does not know in payloads and queries", () => {
    for (const slot of [HttpApi.PayloadParseOptions, HttpApi.QueryParseOptions] as const) {
      const options: unknown = Api.annotations.mapUnsafe.get(slot.key)
      assert.deepInclude(options, { onExcessProperty: "error" })
    }
  })

  it("is enough for a client, whose errors are the domain's own classes", async () => {
    const server = await withCatalog(await start())
    const program = Effect.gen(function* () {
      const client = yield* HttpApiClient.make(Api, {
        transformClient: HttpClient.mapRequest(HttpClientRequest.prependUrl(server.url))
      })
      const placed = yield* client.orders.place({ headers: {}, payload: placement() as never })
      const id = OrderId.make(placed.body.orderId)
      assert.strictEqual(placed.headers["etag"], '"2"')
      const read = yield* client.orderQueries.get({
        params: { id },
        headers: { "consistency-token": placed.headers["consistency-token"] }
      })
      assert.strictEqual(read.body?.status, "confirmed")
      const unknown = OrderId.make("ord_01890000-0000-7000-8000-000000000000")
      const orderError = yield* Effect.flip(client.orders.confirm({ params: { id: unknown }, headers: {} }))
      assert.instanceOf(orderError, OrderNotFound)
      assert.strictEqual(orderError.orderId, unknown)
      const none = { params: { id: ProductId.make("none") }, headers: {} }
      assert.instanceOf(yield* Effect.flip(client.catalog.product(none)), ProductNotFound)
      const rejected = yield* Effect.flip(
        client.orders.cancel({ params: { id }, headers: { "if-match": '"9"' }, payload: { reason: "other" } })
      )
      assert.deepInclude({ ...rejected }, { _tag: "VersionMismatch", expected: 9, currentVersion: 2 })
    })
    await Effect.runPromise(program.pipe(Effect.provide(FetchHttpClient.layer))).finally(server.stop)
    assert.isNotEmpty({ ada, mug })
  })
})
