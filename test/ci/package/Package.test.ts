/**
 * The package as its users get it: packed, installed from the tarball into an empty project, type-checked there, and run
 * under Node and Deno. Brings TypeScript, vitest and Effect from the npm registry (or npm's cache) into that project.
 */
import { execFile } from "node:child_process"
import { globSync } from "node:fs"
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { blocks, root } from "../../../harness/fixtures/Readme.ts"

/** Without npm's own variables: they name this repository. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

let project: string

const run = async (command: string, ...args: ReadonlyArray<string>) => {
  const { stdout } = await promisify(execFile)(command, args, { cwd: project, env })
  return stdout.trim()
}

const programs = "test/ci/package/programs"

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "ordinal-package-"))
  await promisify(execFile)("npm", ["pack", "--silent", "--pack-destination", project], { cwd: root, env })
  const { devDependencies, version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  const others = ["effect", "typescript", "vitest", "@effect/vitest", "@types/node"]
  await writeFile(join(project, "package.json"), JSON.stringify({ name: "host", private: true, type: "module" }))
  const specifiers = others.map((name) => `${name}@${devDependencies[name]}`)
  await run("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", `./ordinal-${version}.tgz`, ...specifiers)

  for (const folder of ["examples", programs]) {
    await cp(join(root, folder), join(project, folder), { recursive: true })
  }
  await mkdir(join(project, "readme"))
  const shown = blocks.filter(({ language }) => language === "ts")
  await Promise.all(shown.map(({ code }, index) => writeFile(join(project, "readme", `${index}.ts`), code)))
})

afterAll(() => rm(project, { recursive: true, force: true }))

const runtimes = {
  Node: (program: string) => run(process.execPath, "--disable-warning=ExperimentalWarning", program),
  Deno: (program: string) => run(join(root, "node_modules", ".bin", "deno"), "run", "--allow-all", program)
}

describe("the packed package, installed into an empty project", () => {
  it("shares its host's copy of Effect", async () => {
    const copies = globSync("**/node_modules/effect/package.json", { cwd: project })
    assert.deepStrictEqual(copies, ["node_modules/effect/package.json"])
  })

  it("type-checks with the examples, its own declarations included, and exports every type that it mentions", async () => {
    const compilerOptions = {
      target: "ES2024",
      module: "NodeNext",
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      allowImportingTsExtensions: true,
      declaration: true,
      noEmit: true
    }
    const include = ["examples", "readme", programs]
    await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, include }))
    const complaints = await run("npx", "tsc").catch(({ stdout }: { readonly stdout: string }) => stdout)
    assert.strictEqual(complaints, "")
  })

  it("lets nothing be imported but its entry points", async () => {
    const reach = `import("ordinal/orders/Orders").catch(({ code }) => console.log(code))`
    assert.strictEqual(await run(process.execPath, "--eval", reach), "ERR_PACKAGE_PATH_NOT_EXPORTED")
    for (const file of globSync("node_modules/ordinal/*", { cwd: project })) {
      assert.match(file, /\/(dist|src|package\.json|README\.md|LICENSE)$/)
    }
  })

  it("brings the command ordinal", async () => {
    const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
    const help = await run("npx", "--no-install", "ordinal", "--help")
    for (const word of ["serve", "migrate", "health", "--database-url url"]) assert.include(help, word)
    assert.include(await run("npx", "--no-install", "ordinal", "--version"), version)
  })

  for (const [name, runtime] of Object.entries(runtimes)) {
    describe(`under ${name}`, () => {
      it("loads by every entry point", async () => {
        const loaded = (await runtime(`${programs}/entryPoints.ts`)).split("\n")
        assert.lengthOf(loaded, 10)
        for (const line of loaded) assert.match(line, /^[A-Za-z]+ [1-9]\d*$/)
      })

      it("runs the README's programs", async () => {
        assert.strictEqual(await runtime("readme/0.ts"), "Ada Lovelace's order is shipped, 2975 cents")
        assert.include(await runtime("readme/1.ts"), "OrderNotFound")
      })

      it("hosts the gift cards", async () => {
        assert.include(await runtime(`${programs}/giftCard.ts`), `{"balance":3500,"version":2}`)
      })

      it("runs the projection of the day's best products, on PGlite", async () => {
        assert.include(await runtime(`${programs}/topProducts.ts`), "mug 2")
      })
    })
  }

  it("says what to install where PGlite is missing, and does without it in memory", async () => {
    const pglite = join(project, "node_modules", "@electric-sql")
    await rename(pglite, `${pglite}.away`)
    assert.match(
      await runtimes.Node(`${programs}/withoutPglite.ts`),
      /^NotInstalled: .*needs the package @electric-sql\/pglite.* Run `npm install @electric-sql\/pglite`, or use a PostgreSQL\.$/
    )
    assert.include(await runtimes.Node("readme/0.ts"), "shipped")
    await rename(`${pglite}.away`, pglite)
  })

  it("needs vitest for ordinal/testing alone", async () => {
    const vitest = join(project, "node_modules", "@effect", "vitest")
    await rename(vitest, `${vitest}.away`)
    assert.include(await runtimes.Node(`${programs}/giftCard.ts`), "balance")
    assert.include(await runtimes.Node("readme/0.ts"), "shipped")
    await rename(`${vitest}.away`, vitest)
  })
})
