/**
 * Sends commands that were made from what other streams held. The event store accepts such a command only if these streams
 * are at the same versions at the commit. If one has moved, nothing was stored: the command is made anew, from what is
 * there now, until the command deadline.
 */
import { Clock, Data, Duration, Effect, Random } from "effect"
import type { Guard } from "../../eventstore/EventStore.ts"
import { ConcurrencyConflict } from "../../eventstore/EventStoreErrors.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import type { SendOptions } from "../actor/Envelope.ts"
import { AggregateLimits } from "../AggregateLimits.ts"
import { GuardMoved } from "../CommandErrors.ts"

/** A command, and the versions of the streams that it was made from: it is stored only if they still have these. */
export class Guarded<Command> extends Data.Class<{
  readonly command: Command
  readonly guards: ReadonlyArray<Guard>
}> {}

/**
 * Makes `send(make, send)`: `make` makes the command, or a `Guarded` one, and is run again when a guard has moved. Fails
 * with `ConcurrencyConflict`, which names the stream, if one still moved at the deadline.
 */
export const make = Effect.gen(function* () {
  const { commandDeadline } = yield* AggregateLimits
  const clock = yield* Clock.Clock
  const patience = Duration.toMillis(commandDeadline)

  return <Command, A, E, E2>(
    make: Effect.Effect<Command | Guarded<Command>, E>,
    send: (command: Command, options: Pick<SendOptions, "guards">) => Effect.Effect<A, E2 | GuardMoved>
  ): Effect.Effect<A, E | E2 | ConcurrencyConflict> =>
    Effect.suspend(() => {
      const giveUpAt = MonotonicClock.millisUnsafe(clock) + patience
      const again = ({ streamId, version }: GuardMoved): typeof attempt =>
        MonotonicClock.millisUnsafe(clock) < giveUpAt
          ? Effect.flatMap(Random.nextIntBetween(1, 10), (pause) => Effect.delay(attempt, pause))
          : Effect.fail(new ConcurrencyConflict({ streamId, currentVersion: version }))
      const attempt: Effect.Effect<A, E | E2 | ConcurrencyConflict> = Effect.flatMap(make, (made) =>
        Effect.catch(
          made instanceof Guarded ? send(made.command, { guards: made.guards }) : send(made, {}),
          (error): typeof attempt => (error instanceof GuardMoved ? again(error) : Effect.fail(error))
        )
      )
      return attempt
    })
})
