import { readFileSync } from "node:fs"
import { join } from "node:path"
import { assert, it } from "vitest"

const file = join(import.meta.dirname, "..", "..", "..", "deploy", "nginx", "ordinal.conf")

it("nginx adds the address that it has seen: a caller can't make one up for a server that trusts this proxy", () => {
  // A block that sets one header of its own inherits none.
  const blocks = readFileSync(file, "utf8")
    .split(/^ {4}location/m)
    .filter((block) => block.includes("proxy_set_header"))
  assert.lengthOf(blocks, 2)
  for (const block of blocks) assert.include(block, "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;")
})
