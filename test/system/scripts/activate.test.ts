import { assert, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { inject } from "vitest"

it("the bench of activations runs, and ends with one line of JSON", async () => {
  const env = { ...process.env, TEST_DATABASE_URL: inject("postgresUrl") }
  const out = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, ["scripts/bench/main.ts", "activate", "--tiny"], { env }, (error, out, err) =>
      error === null ? resolve(out) : reject(new Error(err, { cause: error }))
    )
  })
  const result = JSON.parse(out.trimEnd().split("\n").at(-1)!)
  assert.containSubset(result, { bench: "activate", size: "tiny", events: 410 })
  const ways = ["edits, snapshot", "edits, replay", "payments, snapshot", "payments, replay", "new order"]
  assert.hasAllKeys(result.warm, ways)
  for (const way of ways) assert.isAbove(result.warm[way].p95, 0)
})
