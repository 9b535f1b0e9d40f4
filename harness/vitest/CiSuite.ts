/**
 * Tests of the `ci` level may need more than npm brings. Each file says in one line what it proves, or that it is skipped
 * and why. Where `CI=true`, a skipped file fails: nothing may go unproved there without anybody noticing.
 */
import { describe, it } from "@effect/vitest"

/** Runs the suite, or skips it if a reason is given why this machine can't. */
export const ciSuite = (proves: string, reasonToSkip: string | undefined, suite: () => void): void => {
  if (reasonToSkip === undefined) {
    console.log(`ci: ${proves}`)
    describe(proves, suite)
    return
  }
  console.log(`ci: skipped: ${proves}: ${reasonToSkip}`)
  describe(proves, () => {
    it.skipIf(process.env.CI !== "true")("can run here", () => {
      throw new Error(`This suite can't run here: ${reasonToSkip}.`)
    })
  })
}
