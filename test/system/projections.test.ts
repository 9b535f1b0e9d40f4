import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, beforeAll, describe, it } from "vitest"
import { compiled, output } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"

const text = await readFile(join(root, "docs", "projections.md"), "utf8")
const blocks = [...text.matchAll(/^```ts\n(.*?)^```\n\nThis prints `(.*?)` and `(.*?)`\.$/gms)]

describe("docs/projections.md", () => {
  let programs: ReadonlyArray<string>
  beforeAll(async () => {
    programs = await compiled(blocks.map(([, code = ""]) => code))
  })

  it("has a program of each kind", () => assert.lengthOf(blocks, text.split("```ts").length - 1))

  for (const [index, [, , ...printed]] of blocks.entries()) {
    it(`compiles, and prints ${printed.join(" and ")}`, async () => {
      // Between these lines are those of the log.
      const lines = (await output(programs[index]!)).split("\n").filter((line) => line !== "" && !/^\[\d\d:/.test(line))
      assert.deepStrictEqual(lines, printed)
    })
  }
})
