/** Checks that the OpenAPI documents are written so that generators of clients, linters and people understand them. */
import { readFileSync } from "node:fs"
import { resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { HttpApi, OpenApi } from "effect/http-api"
import { openapi } from "../../../../harness/http/Contract.ts"
import { AdminApi } from "../../../../src/http/admin/AdminApi.ts"
import { Api } from "../../../../src/http/api/Api.ts"
import { bodies } from "../../../../src/http/api/openapi/Examples.ts"
import { parseOptions } from "../../../../src/order/OrderRequest.ts"
import * as Document from "../../../../src/http/api/openapi/Document.ts"

type Node = Readonly<Record<string, unknown>>

const operationsOf = (document: OpenApi.OpenAPISpec) =>
  Document.operationsOf(document).map(([, operation]) => operation)

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
      "Ordinal for operators": ["parked.skip", "projections.audit", "projections.rebuild", "webhooks.change"]
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

const component = (name: string) => openapi.components.schemas[name]

type Named = readonly [name: string, words: Node, schema: Node]

const namedIn = (path: string, where: string, words: { readonly schema: object }): Named => [
  `${path} ${where}`,
  { ...words },
  { ...words.schema }
]

/** Finds what a reader meets by a name: properties of schemas, parameters, headers of answers. */
const named = (): ReadonlyArray<Named> => [
  ...nodes(openapi).flatMap(([path, { properties = {} }]) =>
    Object.entries(properties as Record<string, Node>).map(([name, schema]): Named => [
      `${path}/${name}`,
      schema,
      schema
    ])
  ),
  ...Document.operationsOf(openapi).flatMap(([path, { parameters, responses }]) => {
    const ofAnswers = Object.values(responses).flatMap(({ headers = {} }) => Object.entries(headers))
    return parameters
      .map((parameter) => namedIn(path, `${parameter.in}.${parameter.name}`, parameter))
      .concat(ofAnswers.map(([name, header]) => namedIn(path, `header.${name}`, header)))
  })
]

/** Tells what is wrong with a value; knows the few words of JSON schema that a single field has. */
const faultOf = (value: unknown, schema: Node): string | undefined => {
  const { $ref, enum: values, items, maxLength, maximum, minLength, minimum, pattern, type } = schema
  if ($ref !== undefined) return faultOf(value, component(String($ref).split("/").at(-1)!)!)
  const kind = Number.isInteger(value) ? "integer" : Array.isArray(value) ? "array" : typeof value
  if (type !== undefined && type !== kind && !(type === "number" && kind === "integer")) return `is no ${String(type)}`
  if (Array.isArray(values) && !values.includes(value)) return `is not one of ${values.join(", ")}`
  if (Number(value) < Number(minimum) || Number(value) > Number(maximum)) return "is out of bounds"
  if (String(value).length < Number(minLength) || String(value).length > Number(maxLength))
    return "is too short or long"
  if (typeof pattern === "string" && !new RegExp(pattern, "u").test(String(value))) return `does not match ${pattern}`
  return Array.isArray(value)
    ? value.map((item) => faultOf(item, items as Node)).find((fault) => fault !== undefined)
    : undefined
}

describe("the words of the API's document", () => {
  it("say of every field what it means; if this fails, add the field to src/http/api/openapi/Fields.ts", () => {
    const fields = named()
    assert.isAbove(fields.length, 900)
    for (const [name, { description }] of fields)
      assert.match(String(description), /^[A-Za-z0-9].*([.]$|For example: )/, name)
  })

  it("give an example of every text and number whose values they do not list, and it is valid", () => {
    for (const [name, { description }, schema] of named()) {
      const { enum: values, examples = [], type } = schema as Node & { readonly examples?: ReadonlyArray<unknown> }
      const isOpen = values === undefined && ["string", "integer", "number"].includes(String(type))
      // The page at /docs sends each parameter that has an example, so one that may be left out has it in words.
      const isInWords = /For example: |^The command is done only if/.test(String(description))
      if (isOpen) assert.strictEqual(examples.length === 0, isInWords, name)
      for (const example of examples) assert.isUndefined(faultOf(example, schema), name)
    }
  })

  it("say that amounts are in minor units, times have a format, and ids a pattern", () => {
    for (const [path, { description }] of nodes(component("OrderView")?.["properties"])) {
      if (/(?:total|tax|net|balanceDue|unitPrice|captured)$/.test(path))
        assert.include(description, "minor units", path)
    }
    for (const [name, , schema] of named()) {
      if (/\/[a-z]+At$/.test(name)) assert.strictEqual(schema["format"], "date-time", name)
      if (name.endsWith("/orderId")) assert.include(schema["pattern"], "ord_", name)
    }
  })

  it("describe every answer", () => {
    for (const { operationId, responses } of operationsOf(openapi)) {
      for (const { description } of Object.values(responses)) assert.match(description, /^[A-Z].*[.]$/, operationId)
    }
  })
})

describe("the examples of bodies", () => {
  const payloads: Array<readonly [operationId: string, schema: Schema.Constraint]> = []
  HttpApi.reflect(Api, {
    onGroup: () => {},
    onEndpoint: ({ endpoint, group }) => {
      const operationId = `${group.identifier}.${endpoint.identifier}`
      for (const { schemas } of endpoint.payload.values()) payloads.push([operationId, schemas[0]])
    }
  })

  it.each(payloads)("of %s can be decoded as its body", (operationId, schema) => {
    const decode = Schema.decodeUnknownSync(schema as Schema.Codec<unknown, unknown>, parseOptions)
    assert.doesNotThrow(() => decode(bodies[operationId]))
  })

  it("belong to an operation each", () => {
    assert.sameMembers(
      Object.keys(bodies),
      payloads.map(([operationId]) => operationId)
    )
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
