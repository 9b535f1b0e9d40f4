/** No problem is answered that `GET /problems/{slug}` does not explain, on whichever port. */
import { assert, describe, it } from "@effect/vitest"
import { OpenApi } from "effect/http-api"
import { globSync, readFileSync } from "node:fs"
import { resolve } from "node:path"
import { AdminApi } from "../../../../src/http/admin/AdminApi.ts"
import { meanings } from "../../../../src/http/problems/ProblemMeaning.ts"
import * as Problems from "../../../../src/http/problems/ProblemTypes.ts"
import { openapi, slugsOf } from "../../../../harness/http/contract.ts"

const src = resolve(import.meta.dirname, "../../../../src")
const listed: Array<string> = Problems.all.map(({ slug }) => slug)

/** Said of any path, so no operation lists it. */
const ofAnyPath = ["method-not-allowed"]

/** It is answered as an invalid request, with the parameter that it came in. */
const translated = ["InvalidPosition"]

const describedIn = (document: OpenApi.OpenAPISpec) =>
  Object.values(document.paths).flatMap((item) =>
    Object.values(item).flatMap((operation) => Array.from(slugsOf(operation, document)))
  )

describe("the list of problems that are explained", () => {
  it("is what the operations of both APIs can answer, and what any path can", () => {
    const described = new Set([openapi, OpenApi.fromApi(AdminApi)].flatMap(describedIn))
    assert.deepStrictEqual(listed.toSorted(), [...described, ...ofAnyPath].sort())
  })

  it("has every problem that is defined", () => {
    const defined = Object.values(Problems).flatMap((one) => ("slug" in one ? [one] : []))
    assert.sameMembers([...new Set(defined)], [...Problems.all, ...Problems.namesakes])
  })

  it("has every error class that says with which status it is answered", () => {
    const classes = globSync("**/*.ts", { cwd: src }).flatMap((file) =>
      readFileSync(resolve(src, file), "utf8")
        .split("export class ")
        .slice(1)
        .flatMap((text) => (text.includes("httpApiStatus: ") ? [text.slice(0, text.indexOf(" "))] : []))
    )
    const table = readFileSync(resolve(src, "http/problems/ProblemTypes.ts"), "utf8")
    const inTable = [...table.matchAll(/ = problem\(\s*(?:\w+\.)?(\w+)/g)].map(([, name]) => name)
    assert.deepStrictEqual(classes.sort(), [...inTable, ...translated].sort())
  })

  it("says of each when it is met and what to do then, in sentences", () => {
    assert.deepStrictEqual(Object.keys(meanings).sort(), listed.toSorted())
    for (const [slug, { remedy, when }] of Object.entries(meanings)) {
      for (const text of [when, remedy]) assert.match(text, /^[A-Z].{10,}[.…]$/, slug)
    }
  })
})
