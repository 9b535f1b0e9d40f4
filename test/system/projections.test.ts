import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "vitest"
import { compiled, output } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"

it("docs/projections.md's program compiles and prints what is said", async () => {
  const text = await readFile(join(root, "docs", "projections.md"), "utf8")
  const [, code, ...printed] = /^```ts\n(.*?)^```\n\nThis prints `(.*?)` and `(.*?)`\.$/ms.exec(text) ?? []
  const [program] = await compiled([code!])
  // Between these lines are those of the log.
  const lines = (await output(program!)).split("\n").filter((line) => line !== "" && !/^\[\d\d:/.test(line))
  assert.deepStrictEqual(lines, printed)
})
