import { execFile } from "node:child_process"
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify, stripVTControlCharacters } from "node:util"
import { assert, it } from "vitest"
import { root } from "../../harness/fixtures/Readme.ts"
import { directory, freshDatabase } from "../../harness/servers/Resources.ts"

const run = promisify(execFile)

/** A block of code names its file in its first line. */
const filesIn = (text: string): ReadonlyArray<readonly [name: string, code: string]> =>
  [...text.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, name = "", code = ""]) => [name, code])

const config = {
  test: { testTimeout: 600_000, hookTimeout: 600_000, maxWorkers: 1 },
  ssr: { resolve: { conditions: ["ordinal-source", "module", "node", "development|production"] } }
}

it("the code of docs/testing.md compiles, and its tests hold", async () => {
  const text = await readFile(join(root, "docs", "testing.md"), "utf8")
  const files = filesIn(text)
  assert.lengthOf(files, text.split("```ts").length - 1)
  const folder = await directory()
  await mkdir(join(folder, "node_modules"), { recursive: true })
  for (const name of ["effect", "@types", "@effect", "vitest"]) {
    await symlink(join(root, "node_modules", name), join(folder, "node_modules", name))
  }
  await symlink(root, join(folder, "node_modules", "ordinal"))
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }))
  await writeFile(join(folder, "vitest.config.ts"), `export default ${JSON.stringify(config)}`)
  for (const [name, code] of files) await writeFile(join(folder, name), code)
  const tsconfig = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { types: ["node"], typeRoots: [join(root, "node_modules", "@types")] },
    files: files.map(([name]) => join(folder, name)),
    include: []
  }
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(tsconfig))
  await run(join(root, "node_modules", ".bin", "tsc"), ["--project", folder])

  const vitest = join(root, "node_modules", "vitest", "vitest.mjs")
  const env = { ...process.env, TEST_DATABASE_URL: await freshDatabase(), NO_COLOR: "1" }
  const { stdout } = await run(process.execPath, [vitest, "run", "--root", folder], { cwd: folder, env }).catch(
    (failed: { readonly stdout: string; readonly stderr: string }) => ({ stdout: `${failed.stdout}${failed.stderr}` })
  )
  assert.match(stripVTControlCharacters(stdout), /Test Files +5 passed/)
})
