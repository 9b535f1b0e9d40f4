import { execFile } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify, stripVTControlCharacters } from "node:util"
import { assert, it } from "vitest"
import { filesIn, project } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"
import { freshDatabase } from "../../harness/servers/Resources.ts"

const run = promisify(execFile)

const config = {
  test: { testTimeout: 600_000, hookTimeout: 600_000, maxWorkers: 1 },
  ssr: { resolve: { conditions: ["ordinal-source", "module", "node", "development|production"] } }
}

it("the code of docs/testing.md compiles, and its tests hold", async () => {
  const text = await readFile(join(root, "docs", "testing.md"), "utf8")
  const folder = await project(filesIn(text))
  await writeFile(join(folder, "vitest.config.ts"), `export default ${JSON.stringify(config)}`)

  const vitest = join(root, "node_modules", "vitest", "vitest.mjs")
  const env = { ...process.env, TEST_DATABASE_URL: await freshDatabase(), NO_COLOR: "1" }
  const { stdout } = await run(process.execPath, [vitest, "run", "--root", folder], { cwd: folder, env }).catch(
    (failed: { readonly stdout: string; readonly stderr: string }) => ({ stdout: `${failed.stdout}${failed.stderr}` })
  )
  assert.match(stripVTControlCharacters(stdout), /Test Files +5 passed/)
})
