/** Checks that `GET /problems/{slug}` explains every problem that either port can answer. */
import { assert, describe, it } from "@effect/vitest"
import { OpenApi } from "effect/http-api"
import { globSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { AdminApi } from "../../../../src/http/admin/AdminApi.ts"
import { AdminProblems } from "../../../../src/http/problems/AdminProblems.ts"
import { Problems } from "../../../../src/http/problems/Problems.ts"
import { openapi, slugsOf } from "../../../../harness/http/Contract.ts"

const src = resolve(import.meta.dirname, "../../../../src")
const table = { ...Problems, ...AdminProblems }
const listed = [...new Set(Object.values(table).map(({ slug }) => slug))]

/** Any path can answer these, so no operation lists them. */
const ofAnyPath = ["method-not-allowed"]

/** These are answered as an invalid request that names the parameter. */
const translated: ReadonlyArray<string> = []

const describedIn = (document: OpenApi.OpenAPISpec) =>
  Object.values(document.paths).flatMap((item) =>
    Object.values(item).flatMap((operation) => Array.from(slugsOf(operation, document)))
  )

describe("the table of problems", () => {
  it("is what the operations of both APIs can answer, and what any path can", () => {
    const described = new Set([openapi, OpenApi.fromApi(AdminApi)].flatMap(describedIn))
    assert.deepStrictEqual(listed.toSorted(), [...described, ...ofAnyPath].sort())
  })

  it("says the same of every error class with one slug, under its class's own name", () => {
    const documents = openapi.components.schemas
    for (const [name, { remedy, slug, status, title, when }] of Object.entries(table)) {
      const first = Object.values(table).find((problem) => problem.slug === slug)
      assert.deepInclude(first, { status, title, when, remedy }, name)
      assert.isTrue(!(name in Problems) || name === "MethodNotAllowed" || `${name}Problem` in documents, name)
    }
  })

  it("has every error class that says with which status it is answered", () => {
    const classes = globSync("**/*.ts", { cwd: src }).flatMap((file) =>
      readFileSync(resolve(src, file), "utf8")
        .split("export class ")
        .slice(1)
        .flatMap((text) => (text.includes("httpApiStatus: ") ? [text.slice(0, text.indexOf(" "))] : []))
    )
    assert.deepStrictEqual(classes.sort(), [...Object.keys(table), ...translated].sort())
  })

  it("says of each when it is met and what to do then, in sentences", () => {
    for (const { remedy, slug, when } of Object.values(table)) {
      for (const text of [when, remedy]) assert.match(text, /^[A-Z].{10,}[.…]$/, slug)
    }
  })
})
