/** The packages that are needed to run are those of docs/supply-chain.md, and need no install scripts. */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { root } from "../../../harness/fixtures/Readme.ts"

const read = (file: string) => readFileSync(join(root, file), "utf8")
const manifest = JSON.parse(read("package.json"))

interface Locked {
  readonly hasInstallScript?: boolean
  readonly dev?: boolean
  readonly integrity?: string
  readonly link?: boolean
}
const locked = Object.entries<Locked>(JSON.parse(read("package-lock.json")).packages).filter(([path]) => path !== "")

describe("Supply chain", () => {
  it("each package that is needed to run has a reason in docs/supply-chain.md, and no other is there", () => {
    const document = read("docs/supply-chain.md")
    const documented = [...document.matchAll(/^\| `([^`]+)` \| .{20,} \|$/gm)].map(([, name]) => name)
    const { dependencies, optionalDependencies, peerDependencies } = manifest
    const needed = [dependencies, optionalDependencies, peerDependencies].flatMap((group) => Object.keys(group))
    assert.sameMembers(documented, needed)
  })

  it("none of them has an install script, and each is locked with its hash", () => {
    const production = locked.filter(([, { dev }]) => dev !== true)
    assert.isAbove(production.length, 5)
    for (const [path, { hasInstallScript, integrity }] of production) {
      assert.isNotTrue(hasInstallScript, path)
      assert.match(integrity ?? "", /^sha512-/, path)
    }
  })
})
