import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "vitest"
import { compiled, output } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"
import { freshDatabase } from "../../harness/servers/Resources.ts"

const read = (...path: ReadonlyArray<string>) => readFile(join(root, ...path), "utf8")

it("docs/embedding.md's program on a client of its own compiles and prints what is said", async () => {
  const text = await read("docs", "embedding.md")
  const [, code, printed] = /^## Layers\n.*?^```ts\n(.*?)^```\n\nThis prints `(.*?)`\.$/ms.exec(text) ?? []
  const [program] = await compiled([code!])
  assert.strictEqual(await output(program!, { DATABASE_URL: await freshDatabase() }), `${printed}\n`)
})

it("docs/embedding.md's other code is that of the examples, whose tests compile and run it", async () => {
  const [, ...others] = (await read("docs", "embedding.md")).matchAll(/^```ts\n(.*?)^```$/gms)
  const sources = ["stock-reservation/src/Stock.ts", "gift-card/src/GiftCardApi.ts"]
  assert.lengthOf(others, sources.length)
  for (const [index, source] of sources.entries()) {
    assert.include(await read("examples", source), others[index]![1]!, source)
  }
})
