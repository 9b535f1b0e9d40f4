/**
 * The package as its users get it: packed, installed from the tarball into an empty project and into those of the examples,
 * type-checked there, and run under Node and Deno. Brings TypeScript, vitest and Effect from the npm registry (or npm's
 * cache) into these projects.
 */
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import { globSync } from "node:fs"
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import { afterAll, assert, beforeAll, describe, it, onTestFinished } from "vitest"
import { blocks, root } from "../../../harness/fixtures/Readme.ts"
import { freePort } from "../../../harness/servers/FreePort.ts"
import { directory, freshDatabase } from "../../../harness/servers/Resources.ts"

/** Without npm's own variables: they name this repository. */
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

let project: string

const runIn = async (cwd: string, command: string, ...args: ReadonlyArray<string>) => {
  const { stdout } = await promisify(execFile)(command, args, { cwd, env })
  return stdout.trim()
}
const run = (command: string, ...args: ReadonlyArray<string>) => runIn(project, command, ...args)

/** Copies without what is installed in the repository. */
const copied = (folder: string, place: string) =>
  cp(join(root, folder), join(place, folder), { recursive: true, filter: (file) => !file.includes("node_modules") })

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
    await copied(folder, project)
  }
  await mkdir(join(project, "readme"))
  const shown = blocks.filter(({ language }) => language === "ts")
  await Promise.all(shown.map(({ code }, index) => writeFile(join(project, "readme", `${index}.ts`), code)))
})

afterAll(() => rm(project, { recursive: true, force: true }))

const commands = {
  Node: [process.execPath, "--disable-warning=ExperimentalWarning"],
  Deno: [join(root, "node_modules", ".bin", "deno"), "run", "--allow-all"]
} as const

const runtimes = {
  Node: (program: string) => run(...commands.Node, program),
  Deno: (program: string) => run(...commands.Deno, program)
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
      assert.match(file, /\/(dist|src|docs|package\.json|README\.md|AGENTS\.md|CHANGELOG\.md|LICENSE)$/)
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
        assert.lengthOf(loaded, 11)
        for (const line of loaded) assert.match(line, /^[A-Za-z]+ [1-9]\d*$/)
      })

      it("runs the README's programs", async () => {
        assert.strictEqual(await runtime("readme/0.ts"), "Ada Lovelace's order is shipped, 2975 cents")
        assert.include(await runtime("readme/1.ts"), "OrderNotFound")
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
    assert.include(await runtimes.Node("examples/stock-reservation/src/main.ts"), "40 of 64")
    assert.include(await runtimes.Node("readme/0.ts"), "shipped")
    await rename(`${vitest}.away`, vitest)
  })
})

describe("the examples, each a project of its own that installs the tarball", () => {
  let place: string

  /** Runs a program of an example; what it printed, without the lines of the log. */
  const ran = async (example: string, command: ReadonlyArray<string>, ...args: ReadonlyArray<string>) => {
    const [program = "", ...rest] = command
    const printed = await runIn(join(place, "examples", example), program, ...rest, ...args)
    return printed.split("\n").filter((line) => line !== "" && !line.startsWith("["))
  }

  beforeAll(async () => {
    place = await mkdtemp(join(tmpdir(), "ordinal-examples-"))
    const [tarball] = globSync("ordinal-*.tgz", { cwd: project })
    await cp(join(project, tarball!), join(place, tarball!))
    await copied("examples", place)
    for (const example of ["gift-card", "stock-reservation"]) {
      await ran(example, ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund"])
    }
  })

  afterAll(() => rm(place, { recursive: true, force: true }))

  it.each(["gift-card", "stock-reservation"])("type-check, and their laws hold: %s", async (example) => {
    const complaints = await ran(example, ["npx", "tsc"]).catch(({ stdout }: { readonly stdout: string }) => [stdout])
    assert.deepStrictEqual(complaints, [])
    await ran(example, ["npm", "test"])
  })

  /** Serves the gift cards in a directory; the URL. */
  const served = async (command: ReadonlyArray<string>) => {
    const port = String(await freePort())
    const [program = "", ...args] = command
    const child = spawn(program, [...args, "src/main.ts"], {
      cwd: join(place, "examples", "gift-card"),
      env: { ...env, DATABASE_URL: `pglite:${await directory()}`, PORT: port },
      stdio: ["ignore", "pipe", "inherit"]
    })
    onTestFinished(async () => {
      child.kill("SIGTERM")
      if (child.exitCode === null) await once(child, "exit")
    })
    for await (const line of createInterface(child.stdout)) if (line.includes(`:${port}`)) break
    return `http://127.0.0.1:${port}`
  }

  const databases = {
    "in memory": async () => "memory",
    "on PGlite": async () => `pglite:${await directory()}`,
    "on PostgreSQL": freshDatabase
  }

  for (const [runtime, command] of Object.entries(commands)) {
    for (const [where, url] of Object.entries({ ...databases, "on a server": () => served(command) })) {
      it(`the gift card is charged once ${where}, under ${runtime}`, async () => {
        assert.deepStrictEqual(await ran("gift-card", command, "src/till.ts", await url()), [
          "3500 cents are left, and 3500 after the same receipt. The card holds 3500 cents, which is not enough."
        ])
      })
    }

    for (const [where, url] of Object.entries(databases)) {
      it(`no more than the stock is reserved ${where}, under ${runtime}`, async () => {
        assert.deepStrictEqual(await ran("stock-reservation", command, "src/main.ts", await url()), [
          "40 of 64 buyers have a mug.",
          "Of 40 items 40 are reserved, so fewer can be taken away."
        ])
      })
    }
  }
})
