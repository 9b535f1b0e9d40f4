/**
 * Exactly-once commands: the way of a command whose caller may send it again.
 *
 * In order: the same command running in this process is joined; one that was accepted before is answered as it was then;
 * only otherwise it runs. A rejection is not remembered: the next try is judged anew. The log itself decides between
 * twins on two nodes, since the command's row is stored by the same statement as its events.
 */
import { Context, Deferred, Duration, Effect, Fiber, Layer, Option } from "effect"
import { EventLog } from "../eventlog/EventLog.ts"
import type { DatabaseUnavailable } from "../eventlog/Unavailable.ts"
import { AggregateLimits } from "./AggregateLimits.ts"
import type { CommandIdentity } from "./CommandIdentity.ts"
import { CommandIdReused } from "./CommandIdReused.ts"
import { CommandInProgress } from "./CommandInProgress.ts"
import { CommandAlreadyAccepted, type KeyedError } from "./Envelope.ts"

/** What the log remembers of an accepted command. */
export interface Remembered {
  readonly version: number
  readonly position: bigint
  readonly receipt: unknown
}

export type OnceError = CommandIdReused | CommandInProgress | DatabaseUnavailable

export class KeyedCommands extends Context.Service<
  KeyedCommands,
  {
    /**
     * `run` prices, sends, and answers what it was told; `recall` makes the same answer from what is remembered. `run`
     * goes on if this caller goes away.
     */
    once<A, E>(
      identity: CommandIdentity,
      run: Effect.Effect<A, E | KeyedError>,
      recall: (remembered: Remembered) => A
    ): Effect.Effect<Once<A>, E | OnceError>
  }
>()("ordinal/eventsourcing/KeyedCommands") {
  static readonly layer: Layer.Layer<KeyedCommands, never, EventLog> = Layer.effect(
    KeyedCommands,
    Effect.suspend(() => make)
  )
}

interface Running {
  readonly fingerprint: string
  readonly ended: Deferred.Deferred<void>
}

interface Once<A> {
  readonly answer: A
  readonly replayed: boolean
}

const isAlreadyAccepted = (error: unknown): error is CommandAlreadyAccepted => error instanceof CommandAlreadyAccepted

const make = Effect.gen(function* () {
  const log = yield* EventLog
  const { commandDeadline } = yield* AggregateLimits
  const scope = yield* Effect.scope
  const running = new Map<string, Running>()

  const runOrRecall = <A, E>(
    identity: CommandIdentity,
    run: Effect.Effect<A, E | KeyedError>,
    recall: (remembered: Remembered) => A
  ) =>
    Effect.gen(function* () {
      const stored = yield* log.findCommand(identity.commandId)
      if (stored === undefined) return { answer: yield* run, replayed: false }
      if (stored.fingerprint !== identity.fingerprint) return yield* new CommandIdReused()
      return { answer: recall(stored), replayed: true }
    }).pipe(
      Effect.catchIf(isAlreadyAccepted, (twin) => Effect.succeed({ answer: recall(twin), replayed: true }))
      // `catchIf` leaves `Exclude<E, …>`, which says nothing for a type parameter.
    ) as Effect.Effect<Once<A>, E | OnceError>

  const once = Effect.fnUntraced(function* <A, E>(
    identity: CommandIdentity,
    run: Effect.Effect<A, E | KeyedError>,
    recall: (remembered: Remembered) => A
  ): Effect.fn.Return<Once<A>, E | OnceError> {
    const { commandId, fingerprint } = identity
    for (let twin = running.get(commandId); twin !== undefined; twin = running.get(commandId)) {
      if (twin.fingerprint !== fingerprint) return yield* new CommandIdReused()
      const ended = yield* Deferred.await(twin.ended).pipe(Effect.timeoutOption(commandDeadline))
      if (Option.isNone(ended)) {
        return yield* new CommandInProgress({ retryAfter: Math.ceil(Duration.toSeconds(commandDeadline)) })
      }
    }
    // No yield between the last look at `running` and this: two twins can't both run here.
    const ended = Deferred.makeUnsafe<void>()
    running.set(commandId, { fingerprint, ended })
    const fiber = yield* runOrRecall(identity, run, recall).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          running.delete(commandId)
          Deferred.doneUnsafe(ended, Effect.void)
        })
      ),
      Effect.forkIn(scope, { startImmediately: true })
    )
    return yield* Fiber.join(fiber)
  })

  return KeyedCommands.of({ once })
})
