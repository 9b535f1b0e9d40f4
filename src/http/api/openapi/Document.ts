/**
 * Turns the OpenAPI document that Effect makes of the definition into one that generators of clients, linters and
 * people understand. It changes how things are written and adds words; it never changes what is accepted.
 */
import type { JsonSchema } from "effect"
import type { OpenApi } from "effect/http-api"
import { eventTypes } from "./EventSchemas.ts"
import { bodies } from "./Examples.ts"
import type { Field } from "./Field.ts"
import { fields } from "./Fields.ts"

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

/** Effect writes an object without members as "anything but null". */
const plainObject = (schema: Node): void => {
  if (!isNode(schema["not"]) || schema["not"]["type"] !== "null") return
  delete schema["not"]
  schema["type"] = "object"
}

/** Gives an integer the format that holds it, and leaves out the bounds that every JavaScript integer has. */
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

type Words = Readonly<Record<string, Field>>

/** Gives the words about a schema of this name; one that lists its values needs no example, and its own words count. */
const described = (name: string, owners: ReadonlyArray<string>, schema: Node, known: Words = fields): Node => {
  const found = [...owners.map((owner) => `${owner}.${name}`), name].find((key) => key in known)
  const { examples, ...words }: Partial<Field> = found === undefined ? {} : known[found]!
  return { ...words, ...(examples === undefined || "enum" in schema ? {} : { examples }), ...schema }
}

/** Says of each property what it means, unless its schema says so itself. */
const describe = (schema: Node, owners: ReadonlyArray<string>): void => {
  const { items, properties } = schema
  if (isNode(items)) describe(items, owners)
  if (!isNode(properties)) return
  for (const [name, property] of Object.entries(properties as Components)) {
    properties[name] = described(name, owners, property)
    describe(property, [name])
  }
}

/** Says of a parameter, or of a header of an answer, what it means; the description belongs to it, not to its type. */
const describeParameter = (parameter: OpenApi.OpenAPISpecHeader, name: string, owner: string, known: Words): void => {
  const { description, ...schema } = described(name, [owner], { ...parameter.schema }, known)
  Object.assign(parameter, { ...(description === undefined ? {} : { description }), schema })
}

/**
 * The page at /docs sends every parameter that has an example or a first value, so one that may be left out has its
 * example in words, and no list of one value.
 */
const leftOut = (parameter: OpenApi.OpenAPISpecParameter): void => {
  const { enum: values, examples, ...schema } = parameter.schema as Node
  if (parameter.required) return
  const [value] = Array.isArray(values) && values.length === 1 ? values : []
  const pattern = value === undefined ? {} : { pattern: `^\\${String(value)}$` }
  parameter.schema = { ...schema, ...(value === undefined && values !== undefined ? { enum: values } : pattern) }
  if (Array.isArray(examples)) parameter.description += ` For example: ${String(examples[0])}`
}

const answers: Readonly<Record<string, string>> = {
  101: "The connection is a WebSocket from now on.",
  200: "The answer; of a command, the order once the view has it.",
  201: "The order, once the view has it.",
  202: "Accepted and stored. Views follow a moment later.",
  204: "Done.",
  304: "The caller has the current version."
}

/** Names the problem types of a status by their titles. */
const describeAnswer = (status: string, answer: OpenApi.OpenApiSpecResponse, components: Components): void => {
  const titles = [...referred(answer.content, components)].map(({ description }) => String(description))
  answer.description = answers[status] ?? `${titles.join(", or: ")}.`
}

/** Says what the parameters of a request and the headers of its answers mean. */
export const describeParameters = (path: string, operation: OpenApi.OpenAPISpecOperation, known: Words = fields) => {
  for (const parameter of operation.parameters) {
    visit(parameter, plainParameter)
    const collection = path.split("/").at(path.split("/").indexOf(`{${parameter.name}}`) - 1) ?? ""
    describeParameter(parameter, parameter.name, parameter.in === "path" ? collection : parameter.in, known)
    leftOut(parameter)
  }
  for (const { headers = {} } of Object.values(operation.responses)) {
    for (const [name, header] of Object.entries(headers)) describeParameter(header, name, "header", known)
  }
}

const describeOperation = (path: string, operation: OpenApi.OpenAPISpecOperation, components: Components): void => {
  describeParameters(path, operation)
  for (const [status, answer] of Object.entries(operation.responses)) {
    describeAnswer(status, answer, components)
    for (const { schema } of Object.values(answer.content ?? {})) describe(schema, [])
  }
  const example = bodies[operation.operationId]
  for (const content of Object.values(operation.requestBody?.content ?? {})) {
    if (example !== undefined)
      Object.assign(content, { examples: { demo: { summary: "With the demo catalog", value: example } } })
  }
}

/**
 * A client's codec takes events of types that it does not know; the document lists those that there are, so that the
 * type of an event tells what its data is.
 */
const oneOfTypes = (components: Record<string, Node>): void => {
  const refs = eventTypes.map(({ component, type }) => [type, `#/components/schemas/${component}`] as const)
  for (const name of ["CloudEvent", "PushedCloudEvent"].filter((name) => name in components)) {
    components[name] = {
      description: "An event of one of these types. There may be more types later; ignore those that you do not know.",
      oneOf: refs.map(([, $ref]) => ({ $ref })),
      discriminator: { propertyName: "type", mapping: Object.fromEntries(refs) }
    }
  }
}

type Operation = OpenApi.OpenAPISpecOperation

/** A server may ask who is calling; the page at /docs has a field for each of these. */
const securitySchemes: OpenApi.OpenAPISpec["components"]["securitySchemes"] = {
  bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT", description: "A token of the server's issuer." },
  apiKey: { type: "apiKey", in: "header", name: "X-API-Key", description: "The key of a machine." }
}

/** One of these is sent, or none where the server does not ask. */
const security = [...Object.keys(securitySchemes).map((name) => ({ [name]: [] })), {}]

const secure = (operation: Operation): void => {
  const who: unknown = Reflect.get(operation, "x-who")
  const isOpen = Array.isArray(who) && who.includes("anyone")
  if (!isOpen) Object.assign(operation, { security })
}

export const operationsOf = ({ paths }: OpenApi.OpenAPISpec): ReadonlyArray<readonly [path: string, Operation]> =>
  Object.entries(paths).flatMap(([path, item]) =>
    (Object.values(item) as ReadonlyArray<Operation>).map((operation) => [path, operation] as const)
  )

export const transform = (generated: Record<string, unknown>): OpenApi.OpenAPISpec => {
  // Places that Effect lets share one schema must not share it here, where each is changed on its own.
  const document: OpenApi.OpenAPISpec = JSON.parse(JSON.stringify(generated))
  const components: Record<string, Node> = document.components.schemas
  oneOfTypes(components)
  Object.assign(document.components, { securitySchemes })
  visit(document, (node) => {
    // It tells Effect's own client how a stream fails; the streams of this API only end.
    delete node["x-effect-stream"]
    plainParameter(node)
    plainArray(node)
    plainObject(node)
    plainInteger(node)
  })
  for (const [name, schema] of Object.entries(components)) {
    describe(schema, [name, name.endsWith("Problem") ? "Problem" : name.replace(/^.*V\d+$/, "Event")])
  }
  for (const [path, operation] of operationsOf(document)) {
    openAnswers(operation.responses, components)
    optionalBody(operation, components)
    secure(operation)
    describeOperation(path, operation, components)
  }
  return document
}

/**
 * Every API has these OpenAPI annotations. The version is that of package.json, which a client in a browser can't read.
 */
export const common = {
  version: "0.1.0",
  license: { name: "MIT", identifier: "MIT" },
  servers: [{ url: "/", description: "The server that this document comes from." }],
  transform
}
