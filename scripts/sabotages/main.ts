/**
 * Breaks a copy of the kernel in each of the ways of `Sabotages`, and prints after how many simulated runs each was found:
 * `npm run sabotages [-- --seeds 2000] [--only text]`. It ends with code 1 if one was not found that
 * is not rare.
 */
import { execFile } from "node:child_process"
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { availableParallelism, tmpdir } from "node:os"
import { join } from "node:path"
import { parseArgs, promisify } from "node:util"
import { type Sabotage, sabotages } from "./Sabotages.ts"

const root = join(import.meta.dirname, "..", "..")

interface Found {
  readonly seed?: number
  readonly finding?: string
}

/** Makes a copy of what the simulator needs, breaks it, and runs the simulator there. */
const sabotage = async ({ file, find, replace }: Sabotage, seeds: number): Promise<Found> => {
  const copy = await mkdtemp(join(tmpdir(), "sabotage-"))
  try {
    const parts = [
      "src",
      "harness/aggregates",
      "harness/clocks",
      "harness/simulation",
      "scripts/sabotages",
      "package.json"
    ]
    for (const part of parts) await cp(join(root, part), join(copy, part), { recursive: true })
    await symlink(join(root, "node_modules"), join(copy, "node_modules"))
    const text = await readFile(join(copy, file), "utf8")
    if (text.split(find).length !== 2) throw new Error(`${file} has not exactly one place with this text: ${find}`)
    await writeFile(
      join(copy, file),
      text.replace(find, () => replace)
    )
    const script = join(copy, "scripts", "sabotages", "FirstFinding.ts")
    const { stdout } = await promisify(execFile)(process.execPath, [script, String(seeds)], { maxBuffer: 1 << 26 })
    return JSON.parse(stdout.trim().split("\n").at(-1)!)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

const { values } = parseArgs({
  options: { seeds: { type: "string", default: "2000" }, only: { type: "string", default: "" } }
})
const seeds = Number(values.seeds)
const waiting = sabotages.filter(({ name }) => name.includes(values.only))

console.log(`| found after runs | sabotage | first finding |\n|---:|---|---|`)
const work = async () => {
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const { finding, seed } = await sabotage(next, seeds)
    if (seed === undefined && next.isRare !== true) process.exitCode = 1
    const said = finding?.replaceAll("|", "\\|").replaceAll("\n", " ").slice(0, 140) ?? ""
    console.log(`| ${seed ?? `not after ${seeds}`} | ${next.name} | ${said} |`)
  }
}
await Promise.all(Array.from({ length: availableParallelism() }, work))
