import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Random } from "effect"
import { TestClock } from "effect/testing"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { add, Counter, onMemory } from "../../../harness/aggregates/Counter.ts"
import { patientCommands } from "../../../harness/clocks/patience.ts"

describe("passivation", () => {
  it.effect("removes an actor after it idled, and its state comes back from the log", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* aggregates.send(Counter, "a", add(3))
      yield* TestClock.adjust("4 minutes")
      assert.strictEqual(yield* aggregates.residents, 1)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* aggregates.residents, 0)
      assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 3)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("removes the idle ones also while another is used all the time", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* Effect.forEach(["hot", "a", "b"], (id) => aggregates.send(Counter, id, add()))
      const use = Effect.andThen(aggregates.send(Counter, "hot", add()), TestClock.adjust("500 millis"))
      yield* Effect.repeat(use, { times: 6 * 60 * 2 })
      assert.strictEqual(yield* aggregates.residents, 1)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("lets the longest idle go above the limit of residents", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* Effect.forEach(["a", "b", "a", "c", "d"], (id) => aggregates.send(Counter, id, add()))
      assert.strictEqual(yield* aggregates.residents, 2)
      assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 2)
    }).pipe(Effect.provide(onMemory({ limits: { residents: 2 } })))
  )

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
