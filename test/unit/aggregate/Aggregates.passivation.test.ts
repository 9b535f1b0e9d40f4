import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { add, Counter, onMemory } from "../../../harness/aggregates/Counter.ts"

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
})
