/** Checks that the OpenAPI documents are written so that generators of clients, linters and people understand them. */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { OpenApi } from "effect/http-api"
import { openapi } from "../../../../harness/http/Contract.ts"
import { AdminApi } from "../../../../src/http/admin/AdminApi.ts"
import { operationsOf } from "../../../../src/http/api/openapi/Document.ts"

type Node = Readonly<Record<string, unknown>>

const root = resolve(import.meta.dirname, "../../../..")
const documents = { orders: openapi, operators: OpenApi.fromApi(AdminApi) }

/** Finds every object of a document, with the path to it. */
const nodes = (value: unknown, path = "#"): ReadonlyArray<readonly [path: string, node: Node]> =>
  typeof value !== "object" || value === null
    ? []
    : [[path, value as Node] as const, ...Object.entries(value).flatMap(([key, item]) => nodes(item, `${path}/${key}`))]

const pathsWhere = (value: unknown, holds: (node: Node) => boolean) =>
  nodes(value).flatMap(([path, node]) => (holds(node) ? [path] : []))

const parameter = (operationId: string, name: string) => {
  const found = operationsOf(openapi)
    .find((operation) => operation.operationId === operationId)
    ?.parameters.find((parameter) => parameter.name === name)
  assert.isDefined(found, `${operationId} has no parameter ${name}`)
  return found
}

describe.each(Object.entries(documents))("the OpenAPI document for %s", (_, document) => {
  it("has no tuples: an array is of one kind of items, of which a client may send several", () => {
    assert.deepStrictEqual(
      pathsWhere(document, (node) => "prefixItems" in node),
      []
    )
    assert.deepStrictEqual(
      pathsWhere(document, ({ items, type }) => type === "array" && items === undefined),
      []
    )
  })

  it("has no number that could be a text", () => {
    assert.deepStrictEqual(
      pathsWhere(document, (node) => Object.values(node).includes("Infinity")),
      []
    )
  })

  it("says how large an integer is, with a format or with bounds that say something", () => {
    const integers = nodes(document).filter(([, { type }]) => type === "integer")
    assert.isNotEmpty(integers)
    for (const [path, { format, minimum }] of integers) {
      assert.match(String(format), /^int(32|64)$/, path)
      assert.notStrictEqual(minimum, Number.MIN_SAFE_INTEGER, path)
    }
  })

  it("lets every answer get new members later", () => {
    const components = document.components.schemas
    const requests = new Set(
      operationsOf(document).flatMap(({ requestBody }) =>
        Object.values(requestBody?.content ?? {}).map(({ schema }) => String(schema["$ref"]).split("/").at(-1))
      )
    )
    const answers = Object.entries(components).filter(([name]) => !requests.has(name))
    const closed = (part: unknown) => pathsWhere(part, ({ additionalProperties }) => additionalProperties === false)
    assert.deepStrictEqual(closed(answers), [])
    for (const { responses } of operationsOf(document)) assert.deepStrictEqual(closed(responses), [])
  })

  it("demands a body only where the server does", () => {
    const optional = operationsOf(document).flatMap(({ operationId, requestBody }) =>
      requestBody !== undefined && !requestBody.required ? [operationId] : []
    )
    const expected = {
      Ordinal: ["fulfilment.capturePayment", "fulfilment.refundPayment", "fulfilment.ship"],
      "Ordinal for operators": ["parked.skip", "projections.audit", "projections.rebuild"]
    }
    assert.deepStrictEqual(optional.sort(), Reflect.get(expected, document.info.title))
  })

  it("has the version of the package, a server, and a summary and an id for every operation", () => {
    const { version } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8"))
    assert.strictEqual(document.info.version, version)
    assert.deepStrictEqual(
      document.servers?.map(({ url }) => url),
      ["/"]
    )
    for (const { operationId, summary } of operationsOf(document)) assert.isNotEmpty(summary, operationId)
    const ids = operationsOf(document).map(({ operationId }) => operationId)
    assert.lengthOf(new Set(ids), ids.length)
  })
})

describe("the parameters of the API", () => {
  it("have the types that their texts stand for", () => {
    const integer = (minimum: number, maximum: number) => ({ type: "integer", minimum, maximum })
    assert.deepInclude(parameter("orderQueries.list", "limit").schema, integer(1, 100))
    assert.deepInclude(parameter("orderQueries.events", "limit").schema, integer(1, 500))
    assert.deepInclude(parameter("orderQueries.events", "after").schema, integer(0, Number.MAX_SAFE_INTEGER))
    assert.deepInclude(parameter("orderQueries.at", "version").schema, integer(0, Number.MAX_SAFE_INTEGER))
    assert.deepInclude(parameter("catalog.products", "withdrawn").schema, { type: "boolean" })
    const status = parameter("orderQueries.list", "status")
    assert.deepInclude({ ...status } as object, { style: "form", explode: false })
    assert.deepNestedInclude(status.schema, { type: "array", "items.type": "string" })
    assert.include(JSON.stringify(status.schema), "partially_shipped")
  })

  it("of lists are documented in one way, and no parameter's schema is left as an annotation", () => {
    assert.deepStrictEqual(
      pathsWhere(openapi.paths, (node) => "in" in node && "contentSchema" in (node["schema"] as object)),
      []
    )
  })
})
