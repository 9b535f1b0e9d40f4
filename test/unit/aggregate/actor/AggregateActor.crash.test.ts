import { assert, describe, it } from "@effect/vitest"
import { Cause, Duration, Effect, Exit, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import { Aggregates } from "../../../../src/aggregate/Aggregates.ts"
import { add, Counter, gated, onMemory, registry } from "../../../../harness/aggregates/Counter.ts"
import * as FaultyEventStore from "../../../../src/testing/FaultyEventStore.ts"

const faultyMemory = Effect.map(MemoryEventStore.make(), (log) => FaultyEventStore.make(log))

describe("an actor in trouble", () => {
  it.effect("fails only the command whose decision throws", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const exits = yield* Effect.forEach(
        [add(), { _tag: "Throw" } as const, add(), { _tag: "Poison" } as const, add()],
        (command) => Effect.exit(aggregates.send(Counter, "a", command)),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(exits.map(Exit.isSuccess), [true, false, true, false, true])
      assert.isTrue(Exit.isFailure(exits[1]!) && Cause.hasDies(exits[1].cause))
      assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 3)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("is suspended after five defects in 30 s, then gets one trial", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const crash = Effect.exit(aggregates.send(Counter, "a", { _tag: "Throw" }))
      yield* Effect.repeat(crash, { times: 4 })
      const suspended = yield* Effect.flip(aggregates.send(Counter, "a", add()))
      assert.strictEqual(suspended._tag, "AggregateSuspended")
      assert.strictEqual((yield* aggregates.send(Counter, "b", add())).version, 1)
      yield* TestClock.adjust("31 seconds")
      yield* crash
      assert.strictEqual((yield* Effect.flip(aggregates.send(Counter, "a", add())))._tag, "AggregateSuspended")
      yield* TestClock.adjust("31 seconds")
      assert.strictEqual((yield* aggregates.send(Counter, "a", add())).version, 1)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("is read while it is suspended, which neither ends the suspension nor is its trial", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* Effect.repeat(Effect.exit(aggregates.send(Counter, "a", { _tag: "Throw" })), { times: 4 })
      assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 0)
      assert.strictEqual((yield* Effect.flip(aggregates.send(Counter, "a", add())))._tag, "AggregateSuspended")
      yield* TestClock.adjust("31 seconds")
      yield* aggregates.read(Counter, "a")
      yield* Effect.exit(aggregates.send(Counter, "a", { _tag: "Throw" }))
      assert.strictEqual((yield* Effect.flip(aggregates.send(Counter, "a", add())))._tag, "AggregateSuspended")
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("is not suspended by what callers send: data that can't be stored, ids and options that are none", () =>
    Effect.gen(function* () {
      const { inject, layer, mend } = yield* faultyMemory
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        inject({ append: () => Effect.succeed([{ _tag: "Refused", reason: "unsupported Unicode escape sequence" }]) })
        for (let count = 0; count < 6; count++) {
          const refused = yield* Effect.exit(aggregates.send(Counter, "a", add()))
          assert.isTrue(Exit.isFailure(refused) && Cause.hasDies(refused.cause))
          for (const options of [{ actor: "\u0000" }, { traceparent: "\ud800" }, { precondition: 0.5 }]) {
            const error = yield* Effect.flip(aggregates.send(Counter, "a", add(), options))
            assert.strictEqual(error._tag, "InvalidRequest")
          }
          assert.strictEqual((yield* Effect.flip(aggregates.send(Counter, "", add())))._tag, "InvalidRequest")
        }
        mend()
        assert.strictEqual((yield* aggregates.send(Counter, "a", add())).version, 1)
      }).pipe(Effect.provide(registry().pipe(Layer.provide(layer))))
    })
  )

  it.effect("tries a failed activation anew with the next command", () =>
    Effect.gen(function* () {
      const { inject, layer, mend } = yield* faultyMemory
      inject({ readStream: FaultyEventStore.unavailable })
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        const first = yield* Effect.flip(aggregates.send(Counter, "a", add()))
        assert.strictEqual(first._tag, "DatabaseUnavailable")
        assert.strictEqual(yield* aggregates.residents, 0)
        mend()
        assert.strictEqual((yield* aggregates.send(Counter, "a", add())).version, 1)
      }).pipe(Effect.provide(registry().pipe(Layer.provide(layer))))
    })
  )

  it.effect("keeps its state when an append certainly failed", () =>
    Effect.gen(function* () {
      const { inject, layer, mend } = yield* faultyMemory
      inject({ append: FaultyEventStore.unavailable })
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        assert.strictEqual((yield* Effect.flip(aggregates.send(Counter, "a", add())))._tag, "DatabaseUnavailable")
        mend()
        assert.strictEqual((yield* aggregates.send(Counter, "a", add(5))).state.count, 5)
      }).pipe(Effect.provide(registry().pipe(Layer.provide(layer))))
    })
  )

  it.effect("trusts only the log after an unknown outcome", () =>
    Effect.gen(function* () {
      const { inject, layer, mend } = yield* faultyMemory
      inject({ append: FaultyEventStore.answerLost })
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        assert.strictEqual((yield* Effect.flip(aggregates.send(Counter, "a", add(3))))._tag, "OutcomeUnknown")
        mend()
        const next = yield* aggregates.send(Counter, "a", add(4))
        assert.deepStrictEqual([next.version, next.state.count], [2, 7])
      }).pipe(Effect.provide(registry().pipe(Layer.provide(layer))))
    })
  )

  it.effect("finishes what a caller who went away had asked for", () =>
    Effect.gen(function* () {
      const log = yield* gated
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        const caller = yield* Effect.forkChild(aggregates.send(Counter, "a", add()))
        yield* log.arrived
        yield* Fiber.interrupt(caller)
        yield* log.open
        assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 1)
      }).pipe(Effect.provide(registry().pipe(Layer.provide(log.layer))))
    })
  )

  it.live("does not let a caller who goes away during the activation harm the others", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const first = yield* Effect.forkChild(aggregates.send(Counter, "a", add()), { startImmediately: true })
      const second = yield* Effect.forkChild(aggregates.send(Counter, "a", add()), { startImmediately: true })
      yield* Fiber.interrupt(first)
      assert.strictEqual((yield* Fiber.join(second)).version, 2)
    }).pipe(Effect.provide(onMemory({ readDelay: 20 })))
  )

  it.live(
    "answers every open command when the process shuts down, and does not deny what is on its way to the log",
    () =>
      Effect.gen(function* () {
        const log = yield* gated
        const fibers = yield* Effect.gen(function* () {
          const aggregates = yield* Aggregates
          const fibers = yield* Effect.forEach([1, 2, 3], () =>
            Effect.forkDetach(Effect.result(aggregates.send(Counter, "a", add())), { startImmediately: true })
          )
          yield* log.arrived
          return fibers
        }).pipe(Effect.provide(registry({ shutdown: Duration.millis(50) }).pipe(Layer.provide(log.layer))))
        const results = yield* Effect.forEach(fibers, Fiber.join)
        assert.deepStrictEqual(
          results.map((result) => result._tag === "Failure" && result.failure._tag),
          ["OutcomeUnknown", "Draining", "Draining"]
        )
      })
  )

  it.effect("answers and reloads when evolve throws on an event that is stored", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      let times = 0
      const odd: typeof Counter = {
        ...Counter,
        decider: {
          ...Counter.decider,
          evolve: (state, event, recordedAt) => {
            times += 1
            // The first call is the judging, the second the real one.
            if (times === 2) throw new Error("not at this time")
            return Counter.decider.evolve(state, event, recordedAt)
          }
        }
      }
      const exit = yield* Effect.exit(aggregates.send(odd, "a", add(3)))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      assert.strictEqual((yield* aggregates.read(odd, "a")).state.count, 3)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("trusts nothing of a state that a defect may have changed", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const careless: typeof Counter = {
        ...Counter,
        decider: {
          ...Counter.decider,
          decide: (command, state) => {
            if (command._tag === "Throw") Object.assign(state, { count: 999 })
            return Counter.decider.decide(command, state)
          }
        }
      }
      yield* aggregates.send(careless, "a", add(3))
      yield* Effect.exit(aggregates.send(careless, "a", { _tag: "Throw" }))
      assert.strictEqual((yield* aggregates.read(careless, "a")).state.count, 3)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("is not suspended any longer once a trial was answered, be it with a refusal", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* Effect.repeat(Effect.exit(aggregates.send(Counter, "a", { _tag: "Throw" })), { times: 4 })
      yield* TestClock.adjust("31 seconds")
      const trial = yield* Effect.flip(aggregates.send(Counter, "a", { _tag: "RefuseAt", count: 0 }))
      assert.strictEqual(trial._tag, "TooMuch")
      assert.strictEqual((yield* aggregates.send(Counter, "a", add())).version, 1)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect(
    "does not wait to be loaded beyond the deadline of a command, and blames the database only if it was asked",
    () =>
      Effect.gen(function* () {
        const aggregates = yield* Aggregates
        const fibers = yield* Effect.forEach(["a", "b", "c"], (id) =>
          Effect.forkChild(Effect.flip(aggregates.send(Counter, id, add())), { startImmediately: true })
        )
        yield* TestClock.adjust("5 seconds")
        const errors = yield* Effect.forEach(fibers, Fiber.join)
        assert.deepStrictEqual(
          errors.map(({ _tag }) => _tag),
          ["DatabaseUnavailable", "Overloaded", "Overloaded"]
        )
      }).pipe(Effect.provide(onMemory({ readDelay: 60_000, limits: { concurrentActivations: 1 } })))
  )
})
