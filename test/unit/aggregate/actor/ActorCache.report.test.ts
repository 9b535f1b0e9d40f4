import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { Aggregates } from "../../../../src/aggregate/Aggregates.ts"
import { add, Counter, gated, registry } from "../../../../harness/aggregates/Counter.ts"

describe("the report on actors", () => {
  it.effect("counts those in memory, the busy ones and what waits, and names the busiest", () =>
    Effect.gen(function* () {
      const log = yield* gated
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        const send = (id: string) => Effect.forkChild(aggregates.send(Counter, id, add()), { startImmediately: true })
        const nothing = { residents: 0, residentBytes: 0, busy: 0, waiting: 0, inFlight: 0, busiest: [] }
        assert.deepStrictEqual(yield* aggregates.report(10), nothing)

        const fibers = [yield* send("a")]
        yield* log.arrived
        for (const id of ["a", "a", "a", "b", "c", "c"]) fibers.push(yield* send(id))
        const report = yield* aggregates.report(2)
        assert.containSubset(report, { residents: 3, busy: 3, inFlight: 7 })
        // One of each was taken: of "a" alone, since the others came when their actors had not begun.
        assert.isAtLeast(report.waiting, 3)
        assert.deepStrictEqual(
          report.busiest.map(({ open, streamId, version }) => [streamId, open, version]),
          [
            ["counter-a", 4, 0],
            ["counter-c", 2, 0]
          ]
        )
        assert.strictEqual(report.busiest[0]?.waiting, 3)
        assert.isTrue(report.busiest.every(({ lastUsed }) => !Number.isNaN(Date.parse(lastUsed))))

        yield* log.open
        yield* Effect.forEach(fibers, Fiber.join)
        const { residentBytes, ...idle } = yield* aggregates.report(2)
        assert.deepStrictEqual({ ...idle, residentBytes: 0 }, { ...nothing, residents: 3 })
        assert.isAbove(residentBytes, 0)
      }).pipe(Effect.provide(registry({}).pipe(Layer.provide(log.layer))))
    })
  )
})
