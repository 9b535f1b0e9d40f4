/**
 * One turn of the event loop: what has come on sockets is read, and what they take is written. In a process that was held
 * up, timers come before; whoever judges by one that nothing came or went waits for this first.
 */
import { type Duration, Effect, type Exit, Fiber, Option } from "effect"

export const yieldToIo: Effect.Effect<void> = Effect.callback((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})

const moment = "20 millis"

export const awaitWithGrace = <A, E>(
  fiber: Fiber.Fiber<A, E>,
  time: Duration.Input
): Effect.Effect<Option.Option<Exit.Exit<A, E>>> => {
  const answer = Fiber.await(fiber)
  return Effect.flatMap(Effect.timeoutOption(answer, time), (inTime) =>
    Option.isSome(inTime) ? Effect.succeed(inTime) : Effect.timeoutOption(answer, moment)
  )
}
