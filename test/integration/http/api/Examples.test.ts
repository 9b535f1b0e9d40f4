/** Sends what the OpenAPI document shows, as it shows it, to a server with the demo catalog; "Test request" in /docs does so. */
import { assert, describe, it } from "@effect/vitest"
import type { OpenApi } from "effect/http-api"
import { onTestFinished } from "vitest"
import { openapi } from "../../../../harness/http/Contract.ts"
import { start } from "../../../../harness/servers/ApiServer.ts"
import { fields } from "../../../../src/http/api/openapi/Fields.ts"
import { demoCustomers, demoProducts } from "../../../../src/orders/DemoCatalog.ts"

interface Shown {
  readonly operationId: string
  readonly method: string
  /** The path with the examples of its parameters. */
  readonly path: string
  readonly body: unknown
  /** The examples of the query's parameters. */
  readonly query: ReadonlyArray<string>
}

const exampleOf = ({ name, schema }: { readonly name: string; readonly schema: object }): unknown => {
  const { enum: values, examples = values } = schema as {
    enum?: ReadonlyArray<unknown>
    examples?: ReadonlyArray<unknown>
  }
  assert.isDefined(examples?.[0], name)
  return examples?.[0]
}

const shown: ReadonlyArray<Shown> = Object.entries(openapi.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => {
    const { operationId, parameters, requestBody } = operation as OpenApi.OpenAPISpecOperation
    return {
      operationId,
      method: method.toUpperCase(),
      path: path.replace(/\{(\w+)\}/g, (_, name) => String(exampleOf(parameters.find((one) => one.name === name)!))),
      body: Object.values(requestBody?.content ?? {}).map(
        (content): unknown => Reflect.get(content, "examples")?.demo.value
      )[0],
      query: parameters
        .filter((one) => one.in === "query")
        .map((one) => `${one.name}=${String(fields[`query.${one.name}`]?.examples?.[0] ?? exampleOf(one))}`)
    }
  })
)

const groups = ["orders", "fulfilment", "orderQueries", "catalog", "streams", "projections", "system"]
const groupOf = ({ operationId }: Shown) => groups.indexOf(operationId.split(".")[0]!)

/** In the order of the document's groups, which is that of the page. */
const inOrder = shown.toSorted((one, other) => groupOf(one) - groupOf(other))

const demoShop = async () => {
  const server = await start()
  onTestFinished(server.stop)
  for (const { _tag, productId, ...body } of demoProducts) await server.send("PUT", `/products/${productId}`, body)
  for (const { _tag, customerId, ...body } of demoCustomers) await server.send("PUT", `/customers/${customerId}`, body)
  return server
}

const sent = async (server: Awaited<ReturnType<typeof demoShop>>, { body, method, operationId, path }: Shown) => {
  const answer = method === "GET" ? await server.get(path) : await server.send(method, path, body)
  assert.isTrue(
    answer.status >= 200 && answer.status < 300,
    `${operationId}: ${answer.status} ${JSON.stringify(answer.body)}`
  )
  return answer
}

describe("what the OpenAPI document shows", () => {
  it("is accepted, in the order of the page, twice", async () => {
    const server = await demoShop()
    // A browser's page can't send a WebSocket's handshake, and nothing of a cancelled order is shipped.
    const others = new Set(["streams.socket", "orders.cancel"])
    for (const request of inOrder.filter(({ operationId }) => !others.has(operationId))) {
      const first = await sent(server, request)
      if (first.body?.events !== undefined) assert.isDefined(first.body.version)
      if (request.method !== "GET")
        assert.deepStrictEqual((await sent(server, request)).body.events, [], request.operationId)
    }
  })

  it("cancels the order that it has placed", async () => {
    const server = await demoShop()
    for (const id of ["orders.place", "orders.cancel"]) {
      await sent(
        server,
        shown.find(({ operationId }) => operationId === id)!
      )
    }
  })

  it("has parameters of queries that are accepted, one by one", async () => {
    const server = await demoShop()
    await sent(
      server,
      shown.find(({ operationId }) => operationId === "orders.place")!
    )
    // A cursor comes from an answer, and a position from a log.
    for (const { operationId, path, query } of shown.filter(({ operationId }) => operationId !== "streams.socket")) {
      for (const parameter of query.filter(
        (text) => !text.startsWith("cursor=") && !(operationId === "streams.events" && text.startsWith("after="))
      )) {
        const { body, status } = await server.get(`${path}?${parameter}`)
        assert.strictEqual(status, 200, `${operationId}?${parameter}: ${JSON.stringify(body)}`)
      }
    }
  })
})
