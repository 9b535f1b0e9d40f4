/**
 * Sends commands that were made from what other streams held. The event store accepts such a command only if these streams
 * are at the same versions at the commit. If one has moved, nothing was stored: the command is made anew, from what is
 * there now, until the command deadline.
 */
import { Clock, Data, Duration, Effect, Random } from "effect"
import type { Guard } from "../../eventstore/EventStore.ts"
import { ConcurrencyConflict, Overloaded } from "../../eventstore/EventStoreErrors.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import type { SendOptions } from "../actor/Envelope.ts"
import { AggregateLimits } from "../AggregateLimits.ts"
import { GuardMoved } from "../CommandErrors.ts"

/** A command, and the versions of the streams that it was made from: it is stored only if they still have these. */
export class Guarded<Command> extends Data.Class<{
  readonly command: Command
  readonly guards: ReadonlyArray<Guard>
}> {
  static make<const Command>(command: Command, guards: ReadonlyArray<Guard>): Guarded<Command> {
    return new Guarded({ command, guards })
  }
}

/**
 * Makes `send(make, send)`: `make` makes the command, or a `Guarded` one, and is run again when a guard has moved, after
 * `onMoved`. Fails with `ConcurrencyConflict`, which names the stream, if one still moved at the deadline.
 */
export const make = Effect.gen(function* () {
  const { commandDeadline } = yield* AggregateLimits
  const clock = yield* Clock.Clock
  const patience = Duration.toMillis(commandDeadline)

  return <Command, A, E, E2>(
    make: Effect.Effect<Command | Guarded<Command>, E>,
    send: (command: Command, options: Pick<SendOptions, "deadline" | "guards">) => Effect.Effect<A, E2 | GuardMoved>,
    onMoved: (moved: GuardMoved) => Effect.Effect<void, E> = () => Effect.void
  ): Effect.Effect<A, E | Exclude<E2, GuardMoved> | ConcurrencyConflict> =>
    Effect.suspend(() => {
      const deadline = MonotonicClock.millisUnsafe(clock) + patience
      const isOver = () => MonotonicClock.millisUnsafe(clock) >= deadline
      let moved: GuardMoved | undefined

      const after = (error: E2 | GuardMoved): typeof attempt => {
        if (error instanceof GuardMoved) {
          moved = error
          if (!isOver()) {
            const again = Effect.flatMap(Random.nextIntBetween(1, 10), (pause) => Effect.delay(attempt, pause))
            return Effect.andThen(onMoved(error), again)
          }
        }
        // A command that was made anew and had no time left was not decided; a guard that moved is why.
        const isConflict = error instanceof GuardMoved || (error instanceof Overloaded && isOver())
        if (moved === undefined || !isConflict) return Effect.fail(error as Exclude<E2, GuardMoved>)
        const { streamId, version } = moved
        return Effect.fail(new ConcurrencyConflict({ streamId, currentVersion: version }))
      }

      const attempt: Effect.Effect<A, E | Exclude<E2, GuardMoved> | ConcurrencyConflict> = Effect.flatMap(
        make,
        (made) => {
          const sent =
            made instanceof Guarded ? send(made.command, { guards: made.guards, deadline }) : send(made, { deadline })
          return Effect.catch(sent, after)
        }
      )
      return attempt
    })
})
