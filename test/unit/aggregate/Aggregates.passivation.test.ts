import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { Aggregate } from "../../../src/aggregate/Aggregate.ts"
import * as EventCodec from "../../../src/aggregate/EventCodec.ts"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { usedHeap } from "../../../harness/aggregates/Heap.ts"
import { add, Counter, onMemory } from "../../../harness/aggregates/Counter.ts"

const residentBytes = 25_000

/** An aggregate whose state keeps every text that it is sent. */
const Notes: Aggregate<ReadonlyArray<string>, string, { readonly _tag: "Noted"; readonly text: string }, never> = {
  category: "notes",
  codec: EventCodec.make(Schema.TaggedUnion({ Noted: { text: Schema.String } })),
  decider: {
    initialState: [],
    decide: (text) => Result.succeed([{ _tag: "Noted", text }]),
    evolve: (state, { text }) => [...state, text]
  }
}

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

  it.effect("lets the longest idle go above the limit of bytes", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const ids = Array.from({ length: 100 }, (_, index) => String(index))
      for (const id of ids) {
        yield* aggregates.send(Counter, id, add(7))
        assert.isAtMost((yield* aggregates.report(0)).residentBytes, residentBytes)
      }
      const kept = yield* aggregates.residents
      assert.isTrue(kept > 10 && kept < 50, `${kept} actors of about 1 KB are kept`)
      const states = yield* aggregates.readAll(Counter, ids)
      assert.isTrue(states.every(({ state, version }) => state.count === 7 && version === 1))
    }).pipe(Effect.provide(onMemory({ limits: { residentBytes } })))
  )

  it.effect("gives back little more than the states, since an idle actor is no more than a record", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const count = 10_000
      for (let index = 0; index < count; index++) yield* aggregates.send(Counter, String(index), add())
      const full = usedHeap()
      yield* TestClock.adjust("6 minutes")
      assert.strictEqual(yield* aggregates.residents, 0)
      const each = (full - usedHeap()) / count
      assert.isTrue(each > 256 && each < 2_048, `an actor takes ${each} bytes`)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("weighs a state again as it grows", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* aggregates.send(Notes, "a", "short")
      const before = (yield* aggregates.report(0)).residentBytes
      for (let count = 0; count < 10; count++) yield* aggregates.send(Notes, "a", "long".repeat(1_000))
      const grown = (yield* aggregates.report(0)).residentBytes - before
      assert.isTrue(grown > 25_000 && grown < 60_000, `40,000 bytes more are weighed as ${grown}`)
    }).pipe(Effect.provide(onMemory()))
  )
})
