import { execFile } from "node:child_process"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, it } from "vitest"
import { root } from "../../../harness/fixtures/Readme.ts"
import { orderSabotages, ownLawSabotages } from "../../../scripts/mutations/OrderSabotages.ts"
import { otherSabotages } from "../../../scripts/mutations/OtherSabotages.ts"
import { projectionSabotages } from "../../../scripts/mutations/ProjectionSabotages.ts"
import { apply } from "../../../scripts/mutations/Sabotage.ts"

const run = promisify(execFile)

const mutations = async (...args: ReadonlyArray<string>) => {
  const script = ["--conditions=ordinal-source", "--disable-warning=ExperimentalWarning", "scripts/mutations/main.ts"]
  const result = run(process.execPath, [...script, ...args], { cwd: root })
  const { stderr, stdout } = await result.catch(
    (failed: { readonly stdout: string; readonly stderr: string }) => failed
  )
  return { lines: [...stdout.trimEnd().split("\n"), ...stderr.split("\n")], exitCode: result.child.exitCode }
}

it("npm run mutations says which law found a sabotage, and after how many scripts", async () => {
  const { exitCode, lines } = await mutations("--only", "cent too much")
  assert.strictEqual(exitCode, 0, lines.join("\n"))
  const found = [
    /^gift cards +one cent too much may be redeemed +every state is valid by its schema +\d+ +1$/,
    /^orders +a refund may be one cent too much +every state is valid by its schema +\d+ +3$/
  ]
  found.forEach((pattern, index) => assert.match(lines[index + 1] ?? "", pattern))
  assert.match(lines[3] ?? "", /^2 of 2 sabotages were found/)
})

it("npm run mutations fails if a sabotage is not found", async () => {
  const { exitCode, lines } = await mutations("--harmless")
  assert.strictEqual(exitCode, 1)
  assert.match(lines[1] ?? "", /^gift cards +nothing at all +NOT FOUND$/)
})

it("a sabotage that does not fit its file any more is an error", () => {
  const sabotage = { name: "slip", subject: "orders", file: "a.ts", from: "x > 1", to: "x > 2" }
  assert.strictEqual(apply(sabotage, "if (x > 1) {"), "if (x > 2) {")
  for (const text of ["if (x >= 1) {", "x > 1 || x > 1"]) {
    assert.throws(() => apply(sabotage, text), /The sabotage "slip" does not apply: a.ts has its text [02] times\./)
  }
})

it("every sabotage fits its file", () => {
  const all = [...orderSabotages, ...ownLawSabotages, ...otherSabotages, ...projectionSabotages]
  for (const { file, from, name, to } of all) {
    apply({ file, from, name, subject: "any", to }, readFileSync(join(root, file), "utf8"))
  }
})
