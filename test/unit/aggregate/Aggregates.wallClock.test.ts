import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { add, Counter, gated, onMemory, registry } from "../../../harness/aggregates/Counter.ts"
import * as WrongWallClock from "../../../harness/clocks/WrongWallClock.ts"

const hour = 3_600_000

describe("a wall clock that is set", () => {
  it.effect("forward answers no command as if it had waited for too long", () =>
    Effect.gen(function* () {
      const { provided, step } = yield* WrongWallClock.make
      const log = yield* gated
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        const send = Effect.forkChild(aggregates.send(Counter, "a", add()), { startImmediately: true })
        const first = yield* send
        yield* log.arrived
        const second = yield* send
        yield* step(hour)
        yield* log.open
        assert.strictEqual((yield* Fiber.join(first)).version, 1)
        assert.strictEqual((yield* Fiber.join(second)).version, 2)
      }).pipe(Effect.provide(registry()), Effect.provide(log.layer), provided)
    })
  )

  it.effect("back answers a command at its deadline all the same", () =>
    Effect.gen(function* () {
      const { provided, step } = yield* WrongWallClock.make
      const log = yield* gated
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        const send = Effect.forkChild(Effect.exit(aggregates.send(Counter, "a", add())), { startImmediately: true })
        yield* send
        yield* log.arrived
        const second = yield* send
        yield* step(-hour)
        yield* TestClock.adjust("6 seconds")
        yield* log.open
        assert.strictEqual((yield* Effect.flip(Effect.flatten(Fiber.join(second))))._tag, "Overloaded")
      }).pipe(Effect.provide(registry()), Effect.provide(log.layer), provided)
    })
  )

  it.effect("back suspends no id for longer, and keeps no idle actor", () =>
    Effect.gen(function* () {
      const { provided, step } = yield* WrongWallClock.make
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        yield* Effect.repeat(Effect.exit(aggregates.send(Counter, "a", { _tag: "Throw" })), { times: 4 })
        yield* step(-hour)
        yield* TestClock.adjust("31 seconds")
        assert.strictEqual((yield* aggregates.send(Counter, "a", add())).version, 1)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(yield* aggregates.residents, 1)
        yield* TestClock.adjust("6 minutes")
        assert.strictEqual(yield* aggregates.residents, 0)
      }).pipe(Effect.provide(onMemory()), provided)
    })
  )

  it.effect("back does not make a busy actor last used in the future", () =>
    Effect.gen(function* () {
      const { provided, step } = yield* WrongWallClock.make
      const log = yield* gated
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        const busy = yield* Effect.forkChild(aggregates.send(Counter, "a", add()), { startImmediately: true })
        yield* log.arrived
        yield* step(-hour)
        yield* TestClock.adjust("2 seconds")
        const { busiest } = yield* aggregates.report(1)
        assert.strictEqual(busiest[0]?.lastUsed, new Date(-hour).toISOString())
        yield* log.open
        yield* Fiber.join(busy)
      }).pipe(Effect.provide(registry()), Effect.provide(log.layer), provided)
    })
  )
})
