import { assert, it } from "vitest"
import { Duration } from "effect"
import { now } from "../../scripts/system/RunningTime.ts"
import { start } from "./harness.ts"
import { raw } from "./raw.ts"

it("a server that ends does not wait for connections on which nothing was ever sent", async () => {
  const server = await start({ limits: { headers: Duration.seconds(60), shutdown: Duration.seconds(30) } })
  const spare = Array.from({ length: 5 }, () => raw(server.port, []))
  // Accepted in order, so the spare ones are there by then.
  await server.get("/health/live")
  const began = now()
  await server.stop()
  assert.isBelow(now() - began, 5_000)
  for (const { status } of await Promise.all(spare)) assert.strictEqual(status, 0)
})
