import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "vitest"
import { compiled, output } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"

it("docs/projections.md's programs compile and print what is said", async () => {
  const text = await readFile(join(root, "docs", "projections.md"), "utf8")
  const blocks = [...text.matchAll(/^```ts\n(.*?)^```\n\nThis prints `(.*?)` and `(.*?)`\.$/gms)]
  assert.lengthOf(blocks, text.split("```ts").length - 1)
  const programs = await compiled(blocks.map(([, code = ""]) => code))
  for (const [index, [, , ...printed]] of blocks.entries()) {
    // Between these lines are those of the log.
    const lines = (await output(programs[index]!)).split("\n").filter((line) => line !== "" && !/^\[\d\d:/.test(line))
    assert.deepStrictEqual(lines, printed)
  }
})
