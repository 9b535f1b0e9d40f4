/**
 * Turns the OpenAPI document that Effect makes of the definition into one that generators of clients, linters and
 * people understand. It changes how things are written and adds words; it never changes what is accepted.
 */
import type { JsonSchema } from "effect"
import type { OpenApi } from "effect/http-api"

type Node = JsonSchema.JsonSchema
type Components = Readonly<Record<string, Node>>

const isNode = (value: unknown): value is Node => typeof value === "object" && value !== null

const visit = (value: unknown, each: (node: Node) => void): void => {
  if (!isNode(value)) return
  each(value)
  for (const item of Object.values(value)) visit(item, each)
}

/** Generators read "a first item, then more of the same" as a tuple of one. */
const plainArray = (schema: Node): void => {
  if (!Array.isArray(schema["prefixItems"])) return
  schema["minItems"] = schema["prefixItems"].length
  delete schema["prefixItems"]
}

/** An integer has the format that holds it; the bounds of every JavaScript integer say nothing. */
const plainInteger = (schema: Node): void => {
  if (schema["type"] !== "integer") return
  if (schema["minimum"] === Number.MIN_SAFE_INTEGER) {
    delete schema["minimum"]
    delete schema["maximum"]
  }
  schema["format"] = Number(schema["maximum"] ?? Infinity) < 2 ** 31 ? "int32" : "int64"
}

/** A parameter is documented as what its text stands for: see `wire/Codecs`. */
const plainParameter = (parameter: Node): void => {
  if (!("in" in parameter) || !isNode(parameter["schema"])) return
  const { contentSchema } = parameter["schema"]
  if (!isNode(contentSchema)) return
  parameter["schema"] = contentSchema
  if (contentSchema["type"] === "array") Object.assign(parameter, { style: "form", explode: false })
}

const nameOf = (reference: unknown): string => String(reference).replace("#/components/schemas/", "")

/** Finds the components that a part of the document refers to, directly or by way of others. */
const referred = (part: unknown, components: Components, found: Set<Node> = new Set()): ReadonlySet<Node> => {
  visit(part, ({ $ref }) => {
    const schema = components[nameOf($ref)]
    if (schema !== undefined && !found.has(schema)) referred(schema, components, found.add(schema))
  })
  return found
}

/** An answer may get new members later, which is no reason for a client to refuse it. */
const openAnswers = (responses: unknown, components: Components): void => {
  for (const part of [responses, ...referred(responses, components)]) {
    visit(part, (node) => {
      if (node["additionalProperties"] === false) delete node["additionalProperties"]
    })
  }
}

/** A body may be left out if all of its members may: the server takes a missing one for an empty one. */
const optionalBody = ({ requestBody }: OpenApi.OpenAPISpecOperation, components: Components): void => {
  if (requestBody === undefined) return
  const schemas = Object.values(requestBody.content).map(({ schema }) => components[nameOf(schema["$ref"])] ?? schema)
  Object.assign(requestBody, { required: schemas.some((schema) => schema["required"] !== undefined) })
}

export const operationsOf = ({ paths }: OpenApi.OpenAPISpec): ReadonlyArray<OpenApi.OpenAPISpecOperation> =>
  Object.values(paths).flatMap((item) => Object.values(item) as ReadonlyArray<OpenApi.OpenAPISpecOperation>)

export const transform = (generated: Record<string, unknown>): OpenApi.OpenAPISpec => {
  // Places that Effect lets share one schema must not share it here, where each is changed on its own.
  const document: OpenApi.OpenAPISpec = JSON.parse(JSON.stringify(generated))
  const components: Components = document.components.schemas
  visit(document, (node) => {
    // It tells Effect's own client how a stream fails; the streams of this API only end.
    delete node["x-effect-stream"]
    plainParameter(node)
    plainArray(node)
    plainInteger(node)
  })
  for (const operation of operationsOf(document)) {
    openAnswers(operation.responses, components)
    optionalBody(operation, components)
  }
  return document
}

/** The OpenAPI annotations of every API. The version is that of package.json, which a client in a browser can't read. */
export const common = {
  version: "0.1.0",
  license: { name: "MIT", identifier: "MIT" },
  servers: [{ url: "/", description: "The server that this document comes from." }],
  transform
}
