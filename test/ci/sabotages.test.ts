import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, it } from "vitest"
import { sabotages } from "../../scripts/sabotages/Sabotages.ts"

const script = join(import.meta.dirname, "..", "..", "scripts", "sabotages", "main.ts")

it("the simulator finds every sabotage of the kernel", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  for (const { name } of sabotages) assert.match(stdout, new RegExp(`^\\| \\d+ \\| ${name} \\|`, "m"))
})
