import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Logger, Queue } from "effect"
import { TestClock } from "effect/testing"
import { supervise, superviseReporting, Supervisor } from "../../../src/supervision/Supervisor.ts"

const logged = () => {
  const messages: Array<string> = []
  const logger = Logger.make(({ message }) => void messages.push(String(message)))
  return { messages, layer: Logger.layer([logger]) }
}

it.effect(
  "whatever ends a fiber, it starts again, is counted, and has two lines in the log for all of its failures",
  () =>
    Effect.gen(function* () {
      const { layer, messages } = logged()
      const supervisor = new Supervisor()
      const begun = yield* Queue.unbounded<number>()
      const ends = [
        Effect.fail("a failure"),
        Effect.die(new Error("a defect")),
        Effect.void,
        Effect.interrupt,
        Effect.never
      ]
      let run = 0
      const work = Effect.suspend(() => {
        Queue.offerUnsafe(begun, run)
        return ends[run++]!
      })
      yield* Effect.gen(function* () {
        yield* supervise("work", work)
        for (let expected = 0; expected < ends.length; expected++) {
          assert.strictEqual(yield* Queue.take(begun), expected)
          yield* TestClock.adjust("6 seconds")
        }
        assert.containSubset(supervisor.list(), [{ name: "work", state: "running", restarts: 4 }])
        assert.match(messages[0]!, /"work" fails and is tried again until it works: a failure/)
        assert.match(messages[1]!, /"work" works again after \d+ s/)
        assert.strictEqual(messages.length, 2)
      }).pipe(Effect.scoped, Effect.provide(layer), Effect.provideService(Supervisor.reference, supervisor))
      assert.deepStrictEqual(supervisor.list(), [])
    })
)

it.effect("a fiber that was interrupted by somebody starts again; one whose scope closes does not", () =>
  Effect.gen(function* () {
    const supervisor = new Supervisor()
    const begun = yield* Queue.unbounded<void>()
    let ended = 0
    const work = Queue.offer(begun, undefined).pipe(
      Effect.andThen(Effect.never),
      Effect.onInterrupt(() => Effect.sync(() => void ended++))
    )
    yield* Effect.gen(function* () {
      yield* supervise("work", work)
      yield* Queue.take(begun)
      for (const fiber of supervisor.running("work")) yield* Fiber.interrupt(fiber)
      yield* TestClock.adjust("200 millis")
      yield* Queue.take(begun)
    }).pipe(Effect.scoped, Effect.provideService(Supervisor.reference, supervisor))
    yield* TestClock.adjust("1 minute")
    assert.strictEqual(yield* Queue.size(begun), 0)
    assert.strictEqual(ended, 2)
  }).pipe(Effect.provide(Logger.layer([])))
)

it.effect("a fiber that reports when it works is taken to fail until it has", () =>
  Effect.gen(function* () {
    const supervisor = new Supervisor()
    const mayWork = yield* Deferred.make<void>()
    let starts = 0
    yield* superviseReporting("work", (works) =>
      ++starts === 1
        ? Effect.fail("away")
        : Deferred.await(mayWork).pipe(Effect.andThen(works), Effect.andThen(Effect.never))
    ).pipe(Effect.provideService(Supervisor.reference, supervisor))
    yield* TestClock.adjust("1 minute")
    assert.containSubset(supervisor.list(), [{ state: "restarting", restarts: 1, lastError: "away" }])
    yield* Deferred.succeed(mayWork, undefined)
    yield* Effect.yieldNow
    yield* TestClock.adjust("1 second")
    assert.containSubset(supervisor.list(), [{ state: "running", restarts: 1 }])
  }).pipe(Effect.scoped, Effect.provide(Logger.layer([])))
)
