import { assert, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Logger, Stream } from "effect"
import { LogWentBack } from "../../../../src/eventstore/tail/LogErrors.ts"
import { LogTail } from "../../../../src/eventstore/tail/LogTail.ts"
import { readFrom } from "../../../../src/testing/EventStoreEntries.ts"
import { append, orderLives } from "../../../../harness/orders/OrderLives.ts"
import { restoreLog } from "../../../../harness/faults/RestoredLog.ts"
import { fresh, readerLayer } from "../../../../harness/views/ViewLayer.ts"

it.live("fails all waiting readers when the log is replaced by an older copy, and forgets its recent events", () =>
  Effect.gen(function* () {
    const tail = yield* LogTail
    const old = yield* append(yield* orderLives(5))
    const head = yield* append(yield* orderLives(5))
    yield* tail.page(head - 1n, 1)
    const waiting = yield* Effect.forkChild(tail.page(head, 1), { startImmediately: true })
    const interested = yield* Effect.forkChild(
      tail.awaitEvent({ owner: "nobody" }, head, () => {}),
      { startImmediately: true }
    )
    yield* restoreLog(old)
    for (const waiter of [waiting, interested]) {
      const exit = yield* Fiber.await<unknown, unknown>(waiter)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      assert.instanceOf(error, LogWentBack)
      assert.include(String(error), `was read up to position ${head}`)
    }
    yield* append(yield* orderLives(10))
    const [page, [expected]] = [yield* tail.page(old, 1), yield* readFrom(old)]
    assert.deepStrictEqual(page[0], expected)
  }).pipe(Effect.provide(fresh(readerLayer)), Effect.provide(Logger.layer([])))
)

it.live("fails a reader that began before the log was replaced, even if the new log is the longer one by then", () =>
  Effect.gen(function* () {
    const tail = yield* LogTail
    const old = yield* append(yield* orderLives(5))
    const head = yield* append(yield* orderLives(2))
    const pull = yield* Stream.toPull(tail.pages(0n))
    for (let seen = 0n; seen < head;) seen = (yield* pull).at(-1)!.at(-1)!.position
    const timeline = yield* tail.timeline
    yield* restoreLog(old)
    const regrown = yield* append(yield* orderLives(20), 1000)
    assert.isTrue(regrown > head)
    // The reader does not wait while the log is replaced: a waiting reader would be told at once.
    yield* tail.timeline.pipe(Effect.delay("10 millis"), Effect.repeat({ until: (now) => now !== timeline }))
    const exit = yield* Effect.exit(pull)
    assert.instanceOf(Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined, LogWentBack)
    const [[page], [expected]] = [yield* tail.page(old, 1), yield* readFrom(old)]
    assert.deepStrictEqual(page, expected)
  }).pipe(Effect.scoped, Effect.provide(fresh(readerLayer)), Effect.provide(Logger.layer([])))
)
