import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "vitest"
import { sabotages } from "../../../scripts/sabotages/Sabotages.ts"

it("each sabotage of the kernel has exactly one place in its file, and changes it", () => {
  for (const { file, find, name, replace } of sabotages) {
    const places = readFileSync(join(import.meta.dirname, "..", "..", "..", file), "utf8").split(find).length - 1
    assert.strictEqual(places, 1, `${name}: ${file} has its text ${places} times; write the sabotage anew`)
    assert.notStrictEqual(find, replace)
  }
})
