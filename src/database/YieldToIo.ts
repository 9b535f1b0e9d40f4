/**
 * Lets the event loop read what has come on sockets before a process that was held up concludes that nothing came.
 *
 * After a hold-up, Node runs the timers that are due before it reads its sockets. Code that takes a timer for a sign
 * that somebody did not answer yields to I/O first.
 */
import { Context, type Duration, Effect, type Exit, Fiber, Option } from "effect"

const turn: Effect.Effect<void> = Effect.callback((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

/** Is one turn of the event loop; where nothing comes on sockets, as in a simulation, something else may take its place. */
export const IoTurn = Context.Reference<Effect.Effect<void>>("ordinal/database/YieldToIo", { defaultValue: () => turn })

/** Waits for one turn of the event loop: sockets are read and written once meanwhile. */
export const yieldToIo: Effect.Effect<void> = Effect.flatten(IoTurn)

/** Answers of 8 MB were read within 4 turns; a turn of an idle process takes some 30 µs. */
const graceTurns = 10

/** Waits for either fiber. Racing two waits would do the same with two fibers more, for each statement. */
const awaitEither = (one: Fiber.Fiber<unknown, unknown>, other: Fiber.Fiber<unknown, unknown>): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const done = () => resume(Effect.void)
    const forget = [one.addObserver(done), other.addObserver(done)]
    return Effect.sync(() => forget.forEach((forget) => forget()))
  })

/** Waits for a fiber that waits for an answer, until `time` is over and the answer is not on the socket either. */
export const awaitWithGrace = Effect.fnUntraced(function* <A, E>(
  fiber: Fiber.Fiber<A, E>,
  time: Duration.Input
): Effect.fn.Return<Option.Option<Exit.Exit<A, E>>> {
  if (fiber.pollUnsafe() === undefined) {
    const timer = yield* Effect.forkChild(Effect.sleep(time), { startImmediately: true })
    yield* awaitEither(fiber, timer)
    timer.interruptUnsafe()
    if (fiber.pollUnsafe() === undefined) {
      yield* Effect.repeat(yieldToIo, { times: graceTurns - 1, until: () => fiber.pollUnsafe() !== undefined })
    }
  }
  return Option.fromUndefinedOr(fiber.pollUnsafe())
})
