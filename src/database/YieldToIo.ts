/**
 * Lets the event loop read what has come on sockets before a process that was held up concludes that nothing came.
 *
 * After a hold-up, Node runs the timers that are due before it reads its sockets. Code that takes a timer for a sign
 * that somebody did not answer yields to I/O first.
 */
import { type Duration, Effect, type Exit, Fiber, Option } from "effect"

/** Waits for one turn of the event loop: sockets are read and written once meanwhile. */
export const yieldToIo: Effect.Effect<void> = Effect.callback((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** Answers of 8 MB were read within 4 turns; a turn of an idle process takes some 30 µs. */
const graceTurns = 10

/** Waits for a fiber that waits for an answer, until `time` is over and the answer is not on the socket either. */
export const awaitWithGrace = <A, E>(
  fiber: Fiber.Fiber<A, E>,
  time: Duration.Input
): Effect.Effect<Option.Option<Exit.Exit<A, E>>> =>
  Effect.gen(function* () {
    const inTime = yield* Effect.timeoutOption(Fiber.await(fiber), time)
    if (Option.isSome(inTime)) return inTime
    yield* Effect.repeat(yieldToIo, { times: graceTurns - 1, until: () => fiber.pollUnsafe() !== undefined })
    return Option.fromUndefinedOr(fiber.pollUnsafe())
  })
