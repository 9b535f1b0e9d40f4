/** Vitest's set-up of each test file: a test that fails tells the seed of its random data. */
import { afterEach } from "vitest"
import { seed } from "../fixtures/SeededRandom.ts"

afterEach(({ task }) => {
  if (task.result?.state === "fail") console.log(`${task.name}: SEED=${seed} brings its random data back.`)
})
