import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, it } from "vitest"

const script = join(import.meta.dirname, "..", "..", "..", "scripts", "simulate.ts")
const simulate = (...args: ReadonlyArray<string>) => promisify(execFile)(process.execPath, [script, ...args])

it("2,000 simulated runs of the kernel find nothing", async () => {
  const { stdout } = await simulate("--seeds", "2000")
  assert.match(stdout, /2000 seeds in .*: nothing found/)
})

it("the trace of a seed is the same each time", async () => {
  const [one, other] = await Promise.all([simulate("--seed", "3", "--trace"), simulate("--seed", "3", "--trace")])
  assert.match(one.stdout, /The hash of all that happened is [0-9a-f]{16}/)
  assert.strictEqual(one.stdout, other.stdout)
})

it("the runs are the same ones in however many threads they are made", async () => {
  const hashOf = async (workers: string) => {
    const { stdout } = await simulate("--seeds", "120", "--workers", workers)
    return stdout.match(/hash of all runs: ([0-9a-f]{16})/)?.[1]
  }
  const hash = await hashOf("1")
  assert.isDefined(hash)
  assert.strictEqual(await hashOf("3"), hash)
})
