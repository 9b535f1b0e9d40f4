import { setTimeout as pause } from "node:timers/promises"
import { assert, it } from "vitest"
import { now } from "../../../harness/clocks/RunningTime.ts"

it("a clock for bounds stands still while the process is held up, and goes on afterwards", async () => {
  const began = now()
  const end = performance.now() + 1_000
  while (performance.now() < end);
  assert.isAtMost(now() - began, 100)
  // So that it has seen the end of that.
  await pause(20)
  const before = now()
  await pause(300)
  // However that was cut up.
  assert.isAtLeast(now() - before, 99)
})
