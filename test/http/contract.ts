/** What must hold for every answer whatsoever; the test client checks it on each. */
import { assert } from "@effect/vitest"
import { OpenApi } from "effect/http-api"
import { Api } from "../../src/http/Api.ts"
import type { Answer } from "./harness.ts"

export const openapi = OpenApi.fromApi(Api)

/** They are said of any path, so no endpoint lists them. */
const ofAnyPath = new Set([405, 414, 431])

const patternOf = (path: string) => new RegExp(`^${path.replace(/\{[^}]+\}/g, "[^/]+")}/?$`)
/** Of every problem document that an operation lists. */
export const slugsOf = (operation: object, document = openapi): ReadonlySet<string> => {
  const found = new Set<string>()
  const visit = (node: unknown): void => {
    if (typeof node !== "object" || node === null) return
    for (const [key, value] of Object.entries(node)) {
      if (key === "$ref") visit(document.components.schemas[String(value).replace("#/components/schemas/", "")])
      else if (typeof value === "string" && value.startsWith("/problems/")) found.add(value.slice("/problems/".length))
      else visit(value)
    }
  }
  visit(Reflect.get(operation, "responses"))
  return found
}

/** `undefined`: the path or the method is not in the document. */
const operationOf = (method: string, url: string, document: OpenApi.OpenAPISpec) => {
  const [path = ""] = url.split("?")
  const paths = Object.entries(document.paths).map(([path, item]) => ({ pattern: patternOf(path), item }))
  const name = (method === "HEAD" ? "get" : method.toLowerCase()) as "get"
  return paths.find(({ item, pattern }) => pattern.test(path) && item[name] !== undefined)?.item[name]
}

const urnUuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const isDocumented = (
  method: string,
  url: string,
  { body, status }: Answer,
  document: OpenApi.OpenAPISpec,
  ofAnyRequest: ReadonlySet<number>
): void => {
  const operation = operationOf(method, url, document)
  if (operation === undefined || ofAnyRequest.has(status)) return
  const statuses = Object.keys(operation.responses)
  assert.include(statuses, String(status), `${method} ${url} answered a status that OpenAPI does not list`)
  if (status < 400 || method === "HEAD") return
  const slug = String(body.type).replace("/problems/", "")
  assert.include(
    [...slugsOf(operation, document)],
    slug,
    `${method} ${url} answered a problem that OpenAPI does not list`
  )
}

const isProblem = ({ body, headers, status }: Answer): void => {
  assert.strictEqual(headers.get("content-type"), "application/problem+json")
  assert.match(body.type, /^(\/problems\/[a-z-]+|about:blank)$/)
  assert.strictEqual(body.status, status)
  assert.isNotEmpty(body.title)
  assert.isNotEmpty(body.detail)
  assert.match(body.instance, urnUuid)
  if (status === 503) assert.match(headers.get("retry-after") ?? "", /^[1-9][0-9]*$/)
}

export type Check = (method: string, url: string, answer: Answer) => void

/** `others`: statuses that any request may be answered with, besides. */
export const checkOf =
  (document: OpenApi.OpenAPISpec, others: ReadonlyArray<number> = []): Check =>
  (method, url, answer) => {
    assert.isNotEmpty(answer.headers.get("x-request-id"))
    assert.isNotEmpty(answer.headers.get("cache-control"))
    isDocumented(method, url, answer, document, new Set([...ofAnyPath, ...others]))
    if (answer.status >= 400 && method !== "HEAD") isProblem(answer)
  }

export const check = checkOf(openapi)
