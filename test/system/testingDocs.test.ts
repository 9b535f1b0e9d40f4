import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "vitest"
import { filesIn, project, testsIn } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"
import { freshDatabase } from "../../harness/servers/Resources.ts"

it("the code of docs/testing.md compiles, and its tests hold", async () => {
  const folder = await project(filesIn(await readFile(join(root, "docs", "testing.md"), "utf8")))
  const printed = await testsIn(folder, { TEST_DATABASE_URL: await freshDatabase() })
  assert.match(printed, /Test Files +5 passed/)
})
