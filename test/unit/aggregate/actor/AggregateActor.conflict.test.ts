import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { TestClock } from "effect/testing"
import { EventStore } from "../../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import { Aggregates } from "../../../../src/aggregate/Aggregates.ts"
import * as FaultyEventStore from "../../../../src/testing/FaultyEventStore.ts"
import { add, Counter, registry } from "../../../../harness/aggregates/Counter.ts"
import { patientCommands } from "../../../../harness/clocks/Patience.ts"

const aggregatesOn = (log: Layer.Layer<EventStore>, limits: Parameters<typeof registry>[0] = patientCommands) =>
  Effect.map(Layer.build(registry(limits).pipe(Layer.provide(log))), (context) => Context.get(context, Aggregates))

/** Two registries on one log, as two processes have them. */
const twoProcesses = Effect.gen(function* () {
  const log = yield* MemoryEventStore.make({ soleWriter: false, appendDelay: 1 })
  const layer = Layer.succeed(EventStore, log)
  return { log, one: yield* aggregatesOn(layer), two: yield* aggregatesOn(layer) }
})

describe("an actor whose stream another process writes too", () => {
  it.live("decides anew until it wins, so that callers see no race", () =>
    Effect.gen(function* () {
      const { log, one, two } = yield* twoProcesses
      yield* Effect.forEach(
        Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? one : two)),
        (aggregates) => aggregates.send(Counter, "hot", add()),
        { concurrency: "unbounded" }
      )
      assert.strictEqual((yield* log.head).position, 100n)
      assert.strictEqual((yield* one.read(Counter, "hot")).state.count, 100)
      assert.strictEqual((yield* two.read(Counter, "hot")).version, 100)
    }).pipe(Effect.scoped)
  )

  it.live("rejects nothing on the ground of what it merely remembers", () =>
    Effect.gen(function* () {
      const { one, two } = yield* twoProcesses
      yield* two.send(Counter, "a", { _tag: "RefuseAt", count: 1 })
      for (let count = 1; count <= 50; count++) {
        yield* one.send(Counter, "a", add())
        const rejection = yield* Effect.flip(two.send(Counter, "a", { _tag: "RefuseAt", count }))
        assert.strictEqual(rejection._tag, "TooMuch")
        assert.strictEqual((yield* two.read(Counter, "a")).version, count)
      }
    }).pipe(Effect.scoped)
  )

  it.live("fails a stale precondition only against the log's version", () =>
    Effect.gen(function* () {
      const { one, two } = yield* twoProcesses
      yield* two.send(Counter, "a", add())
      for (let version = 1; version <= 30; version += 2) {
        yield* one.send(Counter, "a", add(), { precondition: version })
        const accepted = yield* two.send(Counter, "a", add(), { precondition: version + 1 })
        assert.strictEqual(accepted.version, version + 2)
      }
    }).pipe(Effect.scoped)
  )

  it.effect("gives up with ConcurrencyConflict at the deadline", () =>
    Effect.gen(function* () {
      const faulty = FaultyEventStore.make(yield* MemoryEventStore.make({ soleWriter: false }))
      faulty.inject({ append: FaultyEventStore.conflict(7) })
      const aggregates = yield* aggregatesOn(faulty.layer, {})
      const fiber = yield* Effect.forkChild(Effect.flip(aggregates.send(Counter, "a", add())))
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* Fiber.join(fiber))._tag, "ConcurrencyConflict")
    }).pipe(Effect.scoped)
  )

  it.live("answers what it decided before a lost append only when that is confirmed", () =>
    Effect.gen(function* () {
      const log = yield* MemoryEventStore.make({ soleWriter: false, readDelay: 20 })
      const other = yield* aggregatesOn(Layer.succeed(EventStore, log))
      const faulty = FaultyEventStore.make(log)
      // Another process is faster once; its own command can't fail on this log.
      const overtaken = Effect.orDie(other.send(Counter, "a", add(10)))
      faulty.inject({ append: FaultyEventStore.first(1, FaultyEventStore.after(overtaken)) })
      const aggregates = yield* aggregatesOn(faulty.layer)
      // One drain, since both wait for the activation: a no-op that the overtaking turns into a rejection, then an append that loses.
      const fibers = yield* Effect.forEach([{ _tag: "RefuseAt", count: 10 } as const, add()], (command) =>
        Effect.forkChild(Effect.result(aggregates.send(Counter, "a", command)), { startImmediately: true })
      )
      const [noop, appended] = yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(noop?._tag, "Failure")
      assert.strictEqual(appended?._tag === "Success" && appended.success.state.count, 11)
    }).pipe(Effect.scoped)
  )
})
