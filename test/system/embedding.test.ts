import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "vitest"
import { compiled, output } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"
import { freshDatabase } from "../../harness/servers/Resources.ts"

it("docs/embedding.md's program on a client of its own compiles and prints what is said", async () => {
  const text = await readFile(join(root, "docs", "embedding.md"), "utf8")
  const [, code, printed] = /^## Layers\n.*?^```ts\n(.*?)^```\n\nThis prints `(.*?)`\.$/ms.exec(text) ?? []
  const [program] = await compiled([code!])
  assert.strictEqual(await output(program!, { DATABASE_URL: await freshDatabase() }), `${printed}\n`)
})
