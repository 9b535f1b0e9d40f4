/** Provokes every problem type over HTTP, and checks the members of its document. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { onTestFinished } from "vitest"
import { problemOfSlug } from "../../../harness/http/Contract.ts"
import { cases } from "../../../harness/http/ProblemCases.ts"
import * as Servers from "../../../harness/servers/FaultyServer.ts"
import { any } from "../../../harness/http/ProblemSteps.ts"

/** These problems are provoked in other tests. */
const elsewhere = {
  draining: "Problems.test.ts",
  unauthorized: "Identity.test.ts",
  forbidden: "Identity.test.ts",
  "identity-unavailable": "unit/identity/JsonWebTokens.test.ts",
  "key-not-found": "system/identity.test.ts",
  "not-served-here": "Elsewhere.test.ts",
  "request-timeout": "Limits.test.ts",
  "rate-limited": "admission/RateLimits.test.ts",
  "foreign-host": "listener/ForeignRequests.test.ts",
  "foreign-origin": "listener/ForeignRequests.test.ts",
  "projection-not-found": "admin/Problems.test.ts",
  "rebuild-not-found": "admin/Problems.test.ts",
  "parked-stream-not-found": "admin/Problems.test.ts",
  "stream-not-found": "admin/Problems.test.ts",
  "audit-refused": "admin/Projections.unaudited.test.ts",
  "parked-elsewhere": "admin/Parked.test.ts",
  "rebuild-refused": "admin/Rebuilds.test.ts",
  "repair-refused": "admin/Projections.test.ts",
  "rewind-refused": "admin/Projections.test.ts",
  "retry-refused": "admin/Parked.test.ts",
  "still-failing": "admin/Parked.test.ts",
  "webhook-not-found": "admin/Webhooks.test.ts",
  "delivery-not-found": "admin/Webhooks.test.ts",
  "webhook-url-refused": "admin/Webhooks.test.ts",
  "too-many-webhooks": "admin/Webhooks.test.ts"
}

let sound: Servers.ProblemServer
beforeAll(async () => {
  sound = await Servers.startWith()
})
afterAll(() => sound.stop())

const inTrouble = async (trouble: Servers.Trouble) => {
  const server = await Servers.startWith(trouble)
  onTestFinished(server.stop)
  return server
}

describe("each problem type of the contract", () => {
  for (const { members, provoke, slug, status, trouble } of cases) {
    it(`${slug} is ${status}`, async () => {
      const { body, headers, text } = await provoke(trouble === undefined ? sound : await inTrouble(trouble))
      assert.deepStrictEqual([body.status, body.type], [status, `/problems/${slug}`], text)
      const common = ["type", "title", "status", "detail", "instance"]
      assert.sameMembers(Object.keys(body), [...common, ...Object.keys(members)])
      for (const [name, expected] of Object.entries(members)) {
        if (expected !== any) assert.deepStrictEqual(body[name], expected, name)
      }
      if (status === 503) assert.match(headers.get("retry-after") ?? "", /^[1-9]\d*$/)
    })
  }

  it("is in this table, or known to be tested elsewhere", () => {
    const tested = [...cases.map(({ slug }) => slug), ...Object.keys(elsewhere)]
    assert.sameMembers(tested, [...problemOfSlug.keys()])
  })
})
