import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"
import { assert, it } from "vitest"
import { sabotages } from "../../scripts/sabotages/Sabotages.ts"

const script = join(import.meta.dirname, "..", "..", "scripts", "sabotages", "main.ts")

it("the simulator finds every sabotage of the kernel that is not rare", async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [script])
  const common = sabotages.filter(({ isRare }) => isRare !== true)
  for (const { name } of common) assert.match(stdout, new RegExp(`^\\| \\d+ \\| ${name} \\|`, "m"))
})
