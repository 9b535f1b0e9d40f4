import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { add, Counter, gated, registry } from "../../../harness/aggregates/Counter.ts"

const fill = (count: number, id: (index: number) => string) =>
  Effect.gen(function* () {
    const aggregates = yield* Aggregates
    return yield* Effect.forEach(
      Array.from({ length: count }, (_, index) => id(index)),
      (id) => Effect.forkChild(Effect.result(aggregates.send(Counter, id, add())), { startImmediately: true })
    )
  })

const tags = (results: ReadonlyArray<{ readonly _tag: string }>) => results.map(({ _tag }) => _tag)

describe("back pressure", () => {
  it.effect("refuses with Overloaded when a mailbox is full, and still answers those inside", () =>
    Effect.gen(function* () {
      const log = yield* gated
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        const [first] = yield* fill(1, () => "a")
        yield* log.arrived
        const inside = yield* fill(4, () => "a")
        const refused = yield* Effect.flip(aggregates.send(Counter, "a", add()))
        assert.strictEqual(refused._tag === "Overloaded" && refused.retryAfter, 1)
        yield* log.open
        const results = yield* Effect.forEach([first!, ...inside], Fiber.join)
        assert.deepStrictEqual(tags(results), Array(5).fill("Success"))
        assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 5)
      }).pipe(Effect.provide(registry({ mailbox: 4 }).pipe(Layer.provide(log.layer))))
    })
  )

  it.effect("refuses with Overloaded when too many commands are open in the process", () =>
    Effect.gen(function* () {
      const log = yield* gated
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        const inside = yield* fill(8, String)
        assert.strictEqual((yield* Effect.flip(aggregates.send(Counter, "z", add())))._tag, "Overloaded")
        yield* log.open
        yield* Effect.forEach(inside, Fiber.join)
        assert.strictEqual((yield* aggregates.send(Counter, "z", add())).version, 1)
      }).pipe(Effect.provide(registry({ inFlight: 8 }).pipe(Layer.provide(log.layer))))
    })
  )

  it.effect("does not run a command whose deadline passed while it waited", () =>
    Effect.gen(function* () {
      const log = yield* gated
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        yield* fill(1, () => "a")
        yield* log.arrived
        const [late] = yield* fill(1, () => "a")
        yield* TestClock.adjust("6 seconds")
        yield* log.open
        const result = yield* Fiber.join(late!)
        assert.strictEqual(result._tag === "Failure" && result.failure._tag, "Overloaded")
        assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 1)
      }).pipe(Effect.provide(registry().pipe(Layer.provide(log.layer))))
    })
  )
})
