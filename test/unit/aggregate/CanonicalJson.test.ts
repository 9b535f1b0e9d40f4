import { assert, it } from "@effect/vitest"
import { canonicalJson } from "../../../src/aggregate/CanonicalJson.ts"
import { fingerprint } from "../../../src/aggregate/idempotency/CommandIdentity.ts"

/** Made the texts of which fingerprints are stored already. */
const before = (value: unknown): string =>
  JSON.stringify(value, (_key, member: unknown) =>
    typeof member === "object" && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).sort(([left], [right]) => (left < right ? -1 : 1)))
      : member
  )

it("makes the text that was always made of a value", () => {
  const odd = JSON.parse('{"__proto__":{"a":1},"10":1,"9":{"01":1,"1":2,"-1":3},"é":"\\u2028\\ud800","constructor":{}}')
  const values = [odd, null, "", -0, [undefined, Number.NaN, {}], { b: undefined, a: new Date(0) }, [[], [odd]]]
  for (const value of values) assert.strictEqual(canonicalJson(value), before(value))
})

it("makes the fingerprint that is stored already", () => {
  assert.strictEqual(fingerprint({ b: [1, "ä"], a: null }), "XUx4l1Gs2tm6MFBy0abM3Fhk_Xx6G8wPOKeU5aRBfgI")
})
