/** The memory of a process that opens an embedded database, which V8's compiler may need more of than PostgreSQL. */
import { execFile } from "node:child_process"
import { pathToFileURL } from "node:url"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, it } from "vitest"

const compiler = pathToFileURL(join(import.meta.dirname, "../../../src/database/pglite/WasmCompiler.ts")).href

/** Runs a function that adds up in a loop until V8 has optimised it, at most so often; prints whether it has. */
const program = `
const { spareMemory } = await import(${JSON.stringify(compiler)})
const bytes = Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0,
  10, 27, 1, 25, 1, 1, 127, 3, 64, 32, 1, 32, 0, 106, 33, 1, 32, 0, 65, 1, 107, 34, 0, 13, 0, 11, 32, 1, 11])
const [memory, turns] = process.argv.slice(1).map(Number)
spareMemory(memory)
const { f } = (await WebAssembly.instantiate(bytes)).instance.exports
let isOptimised = false
for (let turn = 0; turn < turns && !isOptimised; turn++) {
  f(1_000_000)
  isOptimised = %IsTurboFanFunction(f)
}
console.log(isOptimised)
`

const isOptimised = async (memory: number, turns: number): Promise<boolean> => {
  const flags = ["--allow-natives-syntax", "--disable-warning=ExperimentalWarning", "--input-type=module"]
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, "--eval", program, `${memory}`, `${turns}`])
  return stdout.trim() === "true"
}

it("V8 optimises PGlite's code where there is memory for it, and not where there is not", async () => {
  assert.isTrue(await isOptimised(4 * 1024 ** 3, Infinity))
  assert.isFalse(await isOptimised(1024 ** 3, 1_000))
})
