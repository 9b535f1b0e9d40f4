import { assert, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { bounded, TransactionOverdue } from "../../../../src/projection/run/BoundedTransaction.ts"

it.effect("gives up a transaction that can't be interrupted after 10 s", () =>
  Effect.gen(function* () {
    const fiber = yield* Effect.forkChild(Effect.exit(bounded(Effect.uninterruptible(Effect.never))), {
      startImmediately: true
    })
    yield* TestClock.adjust("10 seconds")
    assert.deepStrictEqual(yield* Fiber.join(fiber), Exit.fail(new TransactionOverdue()))
  })
)

it.effect("interrupts the transaction when it is interrupted itself", () =>
  Effect.gen(function* () {
    const rolledBack = yield* Deferred.make<void>()
    const transaction = Effect.onInterrupt(Effect.never, () => Deferred.succeed(rolledBack, undefined))
    const fiber = yield* Effect.forkChild(bounded(transaction), { startImmediately: true })
    yield* Fiber.interrupt(fiber)
    yield* Deferred.await(rolledBack)
  })
)

it.effect("passes on how the transaction ended", () =>
  Effect.gen(function* () {
    assert.strictEqual(yield* bounded(Effect.succeed(1)), 1)
    assert.strictEqual(yield* Effect.flip(bounded(Effect.fail("no"))), "no")
    assert.instanceOf(yield* Effect.flip(bounded(Effect.interrupt)), TransactionOverdue)
  })
)
