/** What must hold for every answer whatsoever; the test client checks it on each. */
import { assert } from "@effect/vitest"
import { OpenApi } from "effect/http-api"
import { Api } from "../../src/http/Api.ts"
import type { Answer } from "./harness.ts"

export const openapi = OpenApi.fromApi(Api)

/** They are said of any path, so no endpoint lists them. */
const ofAnyPath = new Set([405, 414, 431])

const patternOf = (path: string) => new RegExp(`^${path.replace(/\{[^}]+\}/g, "[^/]+")}/?$`)
const paths = Object.entries(openapi.paths).map(([path, item]) => ({ pattern: patternOf(path), item, path }))

/** The statuses the OpenAPI document lists; `undefined` if the path or the method is not in it. */
export const documented = (method: string, url: string): ReadonlyArray<string> | undefined => {
  const [path = ""] = url.split("?")
  const name = (method === "HEAD" ? "get" : method.toLowerCase()) as "get"
  const operation = paths.find(({ item, pattern }) => pattern.test(path) && item[name] !== undefined)?.item[name]
  return operation === undefined ? undefined : Object.keys(operation.responses)
}

const urnUuid = /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

const isDocumented = (method: string, url: string, status: number): void => {
  const statuses = documented(method, url)
  if (statuses === undefined || ofAnyPath.has(status)) return
  assert.include(statuses, String(status), `${method} ${url} answered a status that OpenAPI does not list`)
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

export const check = (method: string, url: string, answer: Answer): void => {
  assert.isNotEmpty(answer.headers.get("x-request-id"))
  assert.isNotEmpty(answer.headers.get("cache-control"))
  isDocumented(method, url, answer.status)
  if (answer.status >= 400 && method !== "HEAD") isProblem(answer)
}
