import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { run } from "../../../harness/campaigns/ConnectionCuts.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"

it.live("every command takes effect once and is answered, wherever its connection is cut", () =>
  Effect.gen(function* () {
    const { cuts, faults, answeredLater } = yield* run(yield* freshDatabase, {
      cuts: 30,
      swallowed: 1,
      hangUps: 30,
      away: 2
    })
    assert.deepStrictEqual(faults, [])
    assert.strictEqual(cuts, 61)
    assert.isAbove(answeredLater["DatabaseUnavailable"] ?? 0, 0)
    assert.isAbove(answeredLater["OutcomeUnknown"] ?? 0, 0)
  })
)
