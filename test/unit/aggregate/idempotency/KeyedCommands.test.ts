import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Fiber, Layer, References } from "effect"
import { TestClock } from "effect/testing"
import { EventStore } from "../../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import { Aggregates } from "../../../../src/aggregate/Aggregates.ts"
import * as CommandIdentity from "../../../../src/aggregate/idempotency/CommandIdentity.ts"
import * as KeyedCommands from "../../../../src/aggregate/idempotency/KeyedCommands.ts"
import { add, Counter, type CounterCommand, registry } from "../../../../harness/aggregates/Counter.ts"
import * as FaultyEventStore from "../../../../src/testing/FaultyEventStore.ts"

interface Receipt {
  readonly commandId: string
  readonly version: number
}

/** A process: its own registry and its own memory of what is running, on a shared log. */
const process = (log: EventStore["Service"]) =>
  Effect.gen(function* () {
    const shared = Layer.succeed(EventStore, log)
    const context = yield* Layer.build(Layer.provide(registry(), shared))
    const aggregates = Context.get(context, Aggregates)
    const once = yield* Effect.provide(KeyedCommands.make, shared)
    const send = <E = never>(key: string, command: CounterCommand, before: Effect.Effect<void, E> = Effect.void) => {
      const identity = CommandIdentity.make(["add"], key, command)
      const receipt = ({ commandId, version }: Receipt) => ({ commandId, version })
      const run = Effect.andThen(
        before,
        Effect.map(aggregates.sendKeyed(Counter, "a", command, { ...identity, receipt }), receipt)
      )
      return once(identity, run, (remembered) => remembered.receipt as Receipt)
    }
    return { aggregates, send }
  })

const oneProcess = Effect.flatMap(MemoryEventStore.make(), process)

describe("a keyed command", () => {
  it.effect("takes effect once, and is answered the same ever after", () =>
    Effect.gen(function* () {
      const { aggregates, send } = yield* oneProcess
      const first = yield* send("k", add(2))
      yield* aggregates.send(Counter, "a", add(5))
      const again = yield* send("k", add(2))
      assert.deepStrictEqual([first.replayed, again.replayed], [false, true])
      assert.deepStrictEqual(again.answer, first.answer)
      assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 7)
    }).pipe(Effect.scoped)
  )

  it.effect("joins its twin that is still running", () =>
    Effect.gen(function* () {
      const { aggregates, send } = yield* oneProcess
      const gate = yield* Deferred.make<void>()
      const fibers = yield* Effect.forEach(Array.from({ length: 100 }), () =>
        Effect.forkChild(send("k", add(), Deferred.await(gate)), { startImmediately: true })
      )
      yield* Deferred.succeed(gate, undefined)
      const answers = yield* Effect.forEach(fibers, Fiber.join)
      assert.strictEqual(answers.filter(({ replayed }) => !replayed).length, 1)
      assert.strictEqual(new Set(answers.map(({ answer }) => JSON.stringify(answer))).size, 1)
      assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("goes on when its first caller goes away", () =>
    Effect.gen(function* () {
      const { send } = yield* oneProcess
      const gate = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(send("k", add(), Deferred.await(gate)), { startImmediately: true })
      const second = yield* Effect.forkChild(send("k", add()), { startImmediately: true })
      yield* Fiber.interrupt(first)
      yield* Deferred.succeed(gate, undefined)
      assert.strictEqual((yield* Fiber.join(second)).replayed, true)
    }).pipe(Effect.scoped)
  )

  it.effect("answers CommandInProgress when its twin outlasts the deadline", () =>
    Effect.gen(function* () {
      const { send } = yield* oneProcess
      const gate = yield* Deferred.make<void>()
      yield* Effect.forkChild(send("k", add(), Deferred.await(gate)), { startImmediately: true })
      const second = yield* Effect.forkChild(Effect.flip(send("k", add())), { startImmediately: true })
      yield* TestClock.adjust("6 seconds")
      assert.strictEqual((yield* Fiber.join(second))._tag, "CommandInProgress")
      yield* Deferred.succeed(gate, undefined)
    }).pipe(Effect.scoped)
  )

  it.effect("refuses its key for another request, running or stored", () =>
    Effect.gen(function* () {
      const { send } = yield* oneProcess
      const gate = yield* Deferred.make<void>()
      const first = yield* Effect.forkChild(send("k", add(1), Deferred.await(gate)), { startImmediately: true })
      assert.strictEqual((yield* Effect.flip(send("k", add(2))))._tag, "CommandIdReused")
      yield* Deferred.succeed(gate, undefined)
      yield* Fiber.join(first)
      assert.strictEqual((yield* Effect.flip(send("k", add(2))))._tag, "CommandIdReused")
    }).pipe(Effect.scoped)
  )

  it.effect("is remembered if there was nothing to do, and judged anew if it was rejected", () =>
    Effect.gen(function* () {
      const { aggregates, send } = yield* oneProcess
      const noop = { _tag: "RefuseAt", count: 1 } as const
      const accepted = yield* send("noop", noop)
      yield* aggregates.send(Counter, "a", add())
      assert.deepStrictEqual((yield* send("noop", noop)).answer, accepted.answer)
      assert.strictEqual((yield* Effect.flip(send("new", noop)))._tag, "TooMuch")
      yield* aggregates.send(Counter, "a", add(-1))
      assert.strictEqual((yield* send("new", noop)).replayed, false)
    }).pipe(Effect.scoped)
  )

  it.live("takes effect once though twins run in two processes at once", () =>
    Effect.gen(function* () {
      const log = yield* MemoryEventStore.make({ soleWriter: false, appendDelay: 1, readDelay: 1 })
      const processes = [yield* process(log), yield* process(log)]
      for (let round = 1; round <= 20; round++) {
        const answers = yield* Effect.forEach(processes, ({ send }) => send(`k${round}`, add()), {
          concurrency: "unbounded"
        })
        assert.strictEqual(new Set(answers.map(({ answer }) => JSON.stringify(answer))).size, 1)
        assert.strictEqual((yield* log.head).position, BigInt(round))
      }
    }).pipe(Effect.scoped)
  )

  it.effect("shares the answer of a running twin, be it a refusal", () =>
    Effect.gen(function* () {
      const { send } = yield* oneProcess
      const gate = yield* Deferred.make<void>()
      let runs = 0
      const before = Effect.andThen(
        Effect.sync(() => (runs += 1)),
        Deferred.await(gate)
      )
      const refused = { _tag: "RefuseAt", count: 0 } as const
      const fibers = yield* Effect.forEach(Array.from({ length: 20 }), () =>
        Effect.forkChild(Effect.flip(send("k", refused, before)), { startImmediately: true })
      )
      yield* Deferred.succeed(gate, undefined)
      const errors = yield* Effect.forEach(fibers, Fiber.join)
      assert.deepStrictEqual([new Set(errors.map(({ _tag }) => _tag)), runs], [new Set(["TooMuch"]), 1])
    }).pipe(Effect.scoped)
  )

  it.live("answers a twin's acceptance on another node even where it can't be priced any more", () =>
    Effect.gen(function* () {
      const log = yield* MemoryEventStore.make({ soleWriter: false })
      const [one, two] = [yield* process(log), yield* process(log)]
      const gate = yield* Deferred.make<void>()
      const withdrawn = Effect.andThen(Deferred.await(gate), Effect.fail("withdrawn" as const))
      const late = yield* Effect.forkChild(two.send("k", add(), withdrawn), { startImmediately: true })
      const accepted = yield* one.send("k", add())
      yield* Deferred.succeed(gate, undefined)
      const answer = yield* Fiber.join(late)
      assert.deepStrictEqual([answer.answer, answer.replayed], [accepted.answer, true])
    }).pipe(Effect.scoped)
  )

  it.live("is finished when the process shuts down in mid-flight", () =>
    Effect.gen(function* () {
      const log = yield* MemoryEventStore.make({ appendDelay: 50 })
      const fiber = yield* Effect.gen(function* () {
        const { send } = yield* process(log)
        return yield* Effect.forkDetach(send("k", add()), { startImmediately: true })
      }).pipe(Effect.scoped)
      assert.strictEqual((yield* Fiber.join(fiber)).replayed, false)
      assert.strictEqual((yield* log.head).position, 1n)
    })
  )

  it.live("is not blocked by a caller that goes away at any moment", () =>
    Effect.gen(function* () {
      const { send } = yield* oneProcess
      for (let ops = 3; ops < 12; ops++) {
        for (let turns = 0; turns < 12; turns++) {
          const once = send(`${ops}-${turns}`, add())
          const caller = yield* Effect.forkDetach(Effect.provideService(once, References.MaxOpsBeforeYield, ops))
          for (let turn = 0; turn < turns; turn++) yield* Effect.yieldNow
          yield* Fiber.interrupt(caller)
          assert.strictEqual((yield* Effect.timeoutOption(once, "1 minute"))._tag, "Some")
        }
      }
    }).pipe(Effect.scoped)
  )

  it.live("answers a twin's acceptance even where it would now be rejected", () =>
    Effect.gen(function* () {
      const log = yield* MemoryEventStore.make({ soleWriter: false })
      const one = yield* process(log)
      const command = { _tag: "RefuseAt", count: 1 } as const
      const two = yield* process(log)
      const accepted = yield* one.send("k", command)
      yield* one.aggregates.send(Counter, "a", add())
      const answer = yield* two.send("k", command)
      assert.deepStrictEqual([answer.answer, answer.replayed], [accepted.answer, true])
    }).pipe(Effect.scoped)
  )

  it.effect("asks the event store for its key only after it was refused", () =>
    Effect.gen(function* () {
      let asked = 0
      const { inject, store } = FaultyEventStore.make(yield* MemoryEventStore.make())
      inject({
        findCommand: (call) => {
          asked += 1
          return call
        }
      })
      const { send } = yield* process(store)
      yield* send("k", add())
      assert.strictEqual((yield* send("k", add())).replayed, true)
      assert.strictEqual(asked, 0)
      yield* Effect.flip(send("other", { _tag: "RefuseAt", count: 1 }))
      assert.strictEqual(asked, 1)
    }).pipe(Effect.scoped)
  )

  it.effect("is answered as it was where it breaks when it is made again; otherwise it stays broken", () =>
    Effect.gen(function* () {
      const { send } = yield* oneProcess
      const broken = Effect.die("the catalog is broken")
      const first = yield* send("k", add())
      assert.deepStrictEqual((yield* send("k", add(), broken)).answer, first.answer)
      assert.strictEqual((yield* Effect.flip(send("k", add(2), broken)))._tag, "CommandIdReused")
      assert.isTrue(Exit.hasDies(yield* Effect.exit(send("new", add(), broken))))
    }).pipe(Effect.scoped)
  )
})
