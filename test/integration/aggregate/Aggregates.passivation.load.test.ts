import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Random } from "effect"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { add, Counter, onMemory } from "../../../harness/aggregates/Counter.ts"
import { patientCommands } from "../../../harness/clocks/Patience.ts"

describe("passivation under load", () => {
  it.live("loses no reply of 50,000 commands to 100 ids when actors idle for 1 ms only", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const perCaller = 50
      yield* Effect.forEach(
        Array.from({ length: 1000 }),
        () =>
          Effect.repeat(
            Effect.gen(function* () {
              const id = yield* Random.nextIntBetween(0, 99)
              yield* aggregates.send(Counter, String(id), add())
              if (id < 20) yield* Effect.sleep(id % 4)
            }),
            { times: perCaller - 1 }
          ),
        { concurrency: "unbounded", discard: true }
      )
      const counts = yield* Effect.forEach(
        Array.from({ length: 100 }, (_, id) => String(id)),
        (id) => Effect.map(aggregates.read(Counter, id), ({ state }) => state.count)
      )
      assert.strictEqual(
        counts.reduce((sum, count) => sum + count, 0),
        1000 * perCaller
      )
    }).pipe(Effect.provide(onMemory({ appendDelay: 1, limits: { idle: Duration.millis(1), ...patientCommands } })))
  )
})
