/**
 * The OpenAPI document as its users' tools read it: a linter, and generators of clients, whose clients then do a shop's
 * work on a real server. The tools come from npm's and Python's registries (or their caches) into a temporary folder.
 */
import { execFile, execFileSync } from "node:child_process"
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, expect, it } from "vitest"
import { openapi } from "../../../harness/http/Contract.ts"
import { directory, server } from "../../../harness/servers/Resources.ts"
import { ciSuite } from "../../../harness/vitest/CiSuite.ts"

let folder: string

/** Without npm's own variables, since they name this repository. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

const run = async (command: string, ...args: ReadonlyArray<string>) => {
  const { stdout } = await promisify(execFile)(command, args, { cwd: folder, env, maxBuffer: 2 ** 26 })
  return stdout.trim()
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "ordinal-openapi-"))
  await writeFile(join(folder, "openapi.json"), JSON.stringify(openapi))
  await cp(join(import.meta.dirname, "programs"), join(folder, "programs"), { recursive: true })
})

afterAll(() => rm(folder, { recursive: true, force: true }))

const withoutNetwork = (...ask: readonly [command: string, ...args: ReadonlyArray<string>]) => {
  const [command, ...args] = ask
  try {
    execFileSync(command, args, { stdio: "pipe", env })
    return undefined
  } catch {
    return `\`${ask.join(" ")}\` fails here`
  }
}

/** Every client does the same and meets the same. */
const outcome = {
  saved: [202, 202, 202],
  placed: 201,
  lines: [
    ["Mug", 2],
    ["Darjeeling, 100 g", 1]
  ],
  total: 3933,
  cancelled: "cancelled",
  listed: ["shipped", "cancelled"],
  problem: expect.stringMatching(/^shipped: Take items back/)
}

const met = async (program: (url: string) => Promise<string>) => {
  const { url } = await server({ DATABASE_URL: `pglite:${await directory()}/data` })
  return JSON.parse(await program(url))
}

const npm = withoutNetwork("npm", "view", "@redocly/cli", "version")

ciSuite("redocly's recommended rules hold for the OpenAPI document", npm, () => {
  it("finds nothing but that a WebSocket has no answer with a 2xx", async () => {
    const lint = ["--yes", "@redocly/cli@2.77.0", "lint", "openapi.json", "--extends=recommended", "--format=json"]
    const { problems } = JSON.parse(await run("npx", ...lint))
    const found = problems.map(
      ({ location, ruleId }: { ruleId: string; location: ReadonlyArray<{ pointer: string }> }) => [
        ruleId,
        location[0]?.pointer
      ]
    )
    assert.deepStrictEqual(found, [["operation-2xx-response", "#/paths/~1events~1ws/get/responses"]])
  })
})

ciSuite("a TypeScript client generated from the OpenAPI document does a shop's work", npm, () => {
  it("type-checks and runs", async () => {
    await writeFile(join(folder, "package.json"), JSON.stringify({ name: "shop", private: true, type: "module" }))
    const packages = ["openapi-typescript@7.13.0", "openapi-fetch@0.17.0", "typescript@5.9", "@types/node@24"]
    await run("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", ...packages)
    await run("npx", "openapi-typescript", "openapi.json", "--output", "schema.d.ts")
    const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--allowImportingTsExtensions"]
    const modules = ["--target", "ES2022", "--module", "NodeNext", "--types", "node", "--lib", "ES2022,DOM"]
    await run("npx", "tsc", ...options, ...modules, "programs/client.ts").catch(({ stdout }) =>
      assert.strictEqual(stdout, "")
    )
    expect(await met((url) => run(process.execPath, "programs/client.ts", url))).toEqual(outcome)
  })
})

ciSuite(
  "a Python client generated from the OpenAPI document does a shop's work",
  withoutNetwork("python3", "-m", "pip", "--version"),
  () => {
    it("generates without a complaint and runs", async () => {
      await run("python3", "-m", "venv", "venv")
      const bin = join(folder, "venv", process.platform === "win32" ? "Scripts" : "bin")
      // The generator looks for its formatter there.
      env["PATH"] = [bin, env["PATH"]].join(delimiter)
      await run("python", "-m", "pip", "install", "--quiet", "openapi-python-client==0.29.1")
      const generate = [
        "generate",
        "--path",
        "openapi.json",
        "--output-path",
        "programs/ordinal_client",
        "--meta",
        "none"
      ]
      const said = await run("openapi-python-client", ...generate, "--fail-on-warning")
      assert.notMatch(said, /Unable|unsupported|ERROR/i)
      expect(await met((url) => run("python", "programs/client.py", url))).toEqual(outcome)
    })
  }
)
