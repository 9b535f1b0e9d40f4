/** Checks what must hold for every answer; the test client does so for each. */
import { assert } from "@effect/vitest"
import { OpenApi } from "effect/http-api"
import { isListed, operationsOf, problemFault } from "../judges/AnswerJudge.ts"
import { AdminProblems } from "../../src/http/problems/AdminProblems.ts"
import type { Problem } from "../../src/http/problems/Problem.ts"
import { Problems } from "../../src/http/problems/Problems.ts"
import { Api } from "../../src/http/api/Api.ts"
import type { Answer } from "../clients/HttpClient.ts"

export const openapi = OpenApi.fromApi(Api)

/** Has one problem of each slug: the first, where several error classes share it. */
export const problemOfSlug: ReadonlyMap<string, Problem<unknown>> = new Map(
  Object.values({ ...Problems, ...AdminProblems })
    .toReversed()
    .map((problem) => [problem.slug, problem])
)

/** Finds the slugs of all problem documents that an operation lists. */
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

export type Check = (method: string, url: string, answer: Answer) => void

/** `others` are statuses that any request may be answered with, besides those of its operation. */
export const checkOf = (document: OpenApi.OpenAPISpec, others: ReadonlyArray<number> = []): Check => {
  const operationOf = operationsOf(document.paths)
  return (method, url, { body, headers, status }) => {
    assert.isNotEmpty(headers.get("x-request-id"))
    assert.isNotEmpty(headers.get("cache-control"))
    const operation = operationOf(method, url)
    const isListedHere = others.includes(status) || isListed(operation, status)
    assert.isTrue(isListedHere, `${method} ${url} answered ${status}, which OpenAPI does not list`)
    if (status < 400 || method === "HEAD") return
    const fault = problemFault({ status, header: (name) => headers.get(name), body })
    assert.isUndefined(fault, `${method} ${url}`)
    if (operation === undefined || others.includes(status) || !(status in operation.responses)) return
    const slug = String(body.type).replace("/problems/", "")
    assert.include(Array.from(slugsOf(operation, document)), slug, `${method} ${url}: OpenAPI lists no such problem`)
  }
}

export const check = checkOf(openapi)
