/**
 * What came of a statement, if it came in time. A process that was held up finds its timers due before it reads what has
 * come on its sockets meanwhile: an answer that is there already gets a moment to be read.
 */
import { type Duration, Effect, type Exit, Fiber, Option } from "effect"

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
