import { assert, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { streamId } from "../../../../src/aggregate/Aggregate.ts"
import { AggregateLimits, defaults } from "../../../../src/aggregate/AggregateLimits.ts"
import { Aggregates } from "../../../../src/aggregate/Aggregates.ts"
import { Commands } from "../../../../src/aggregate/idempotency/Commands.ts"
import { Guarded } from "../../../../src/aggregate/idempotency/Guarded.ts"
import { EventStore } from "../../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import { add, Counter, registry } from "../../../../harness/aggregates/Counter.ts"
import * as FaultyEventStore from "../../../../src/testing/FaultyEventStore.ts"
import { patientCommands } from "../../../../harness/clocks/Patience.ts"

const onMemory = (commandDeadline: Duration.Duration, log: Layer.Layer<EventStore> = MemoryEventStore.layer()) => {
  const limits = Layer.succeed(AggregateLimits, { ...defaults, commandDeadline })
  return Commands.layer.pipe(Layer.provideMerge(registry({ commandDeadline })), Layer.provide(Layer.merge(log, limits)))
}

/** Adds what another counter shows; `before` runs between the look at it and the append. */
const addAsMuch = Effect.fnUntraced(function* (before: Effect.Effect<unknown>, idempotencyKey?: string) {
  const aggregates = yield* Aggregates
  const commands = yield* Commands
  return yield* commands.submit({
    aggregate: Counter,
    idOf: () => "copy",
    scope: ["AddAsMuch", "copy"],
    request: null,
    options: idempotencyKey === undefined ? {} : { idempotencyKey },
    command: Effect.gen(function* () {
      const { state, version } = yield* aggregates.read(Counter, "source")
      yield* before
      return new Guarded({ command: add(state.count), guards: [{ streamId: streamId(Counter, "source"), version }] })
    }),
    receipt: ({ count }) => ({ count })
  })
})

for (const key of [undefined, "key"]) {
  it.live(`a command ${key === undefined ? "without" : "with"} a key is made anew when a guard has moved`, () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      let others = 3
      const change = Effect.suspend(() =>
        others-- > 0 ? Effect.orDie(aggregates.send(Counter, "source", add())) : Effect.void
      )
      const { receipt, replayed } = yield* addAsMuch(change, key)
      assert.containSubset([receipt, replayed], [{ count: 3, version: 1 }, false])
      if (key !== undefined) assert.isTrue((yield* addAsMuch(Effect.die("It was accepted before."), key)).replayed)
    }).pipe(Effect.provide(onMemory(patientCommands.commandDeadline)))
  )

  it.live(`a command ${key === undefined ? "without" : "with"} a key is a conflict if its guard moves for ever`, () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const error = yield* Effect.flip(addAsMuch(Effect.orDie(aggregates.send(Counter, "source", add())), key))
      const { version } = yield* aggregates.read(Counter, "source")
      assert.isAbove(version, 1)
      assert.containSubset(error, { _tag: "ConcurrencyConflict", streamId: "counter-source" })
      // The last look at it may have left no time to find out that it had moved once more.
      const told = error._tag === "ConcurrencyConflict" ? error.currentVersion : 0
      assert.isTrue(told === version || told === version - 1, `${told} of ${version}`)
      assert.strictEqual((yield* aggregates.read(Counter, "copy")).version, 0)
    }).pipe(Effect.provide(onMemory(Duration.millis(300))))
  )
}

it.effect("a command that is made anew has no more time than its first try", () =>
  Effect.gen(function* () {
    const faulty = FaultyEventStore.make(yield* MemoryEventStore.make())
    const timeouts: Array<number> = []
    faulty.inject({
      append: (call, { args: [[first], timeout] }) => {
        if (first?.streamId === streamId(Counter, "copy")) timeouts.push(timeout)
        return call
      }
    })
    yield* Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* aggregates.send(Counter, "source", add())
      let others = 2
      const change = Effect.suspend(() => {
        if (others-- === 0) return Effect.void
        return Effect.andThen(TestClock.adjust("2 minutes"), Effect.orDie(aggregates.send(Counter, "source", add())))
      })
      const fiber = yield* Effect.forkChild(addAsMuch(change))
      // It waits for a moment before it is made anew.
      while (fiber.pollUnsafe() === undefined) yield* TestClock.adjust("1 millis")
      assert.containSubset((yield* Fiber.join(fiber)).receipt, { count: 3 })
    }).pipe(Effect.provide(onMemory(Duration.minutes(5), faulty.layer)))
    const [first = 0, second = 0, third = 0] = timeouts.map((millis) => Math.ceil(millis / 60_000))
    assert.deepStrictEqual([first, second, third], [3, 1, 1])
  })
)
