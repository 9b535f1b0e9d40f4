/**
 * Exactly-once commands: the way of a command whose caller may send it again.
 *
 * In order: the same command running in this process is joined; one that was accepted before is answered as it was then;
 * only otherwise it runs. A rejection is not remembered: the next try is judged anew. The log itself decides between
 * twins on two nodes, since the command's row is stored by the same statement as its events.
 */
import { Context, Duration, Effect, Fiber, FiberSet, Layer, Option, Result } from "effect"
import { EventStore } from "../../eventstore/EventStore.ts"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { AggregateLimits } from "../AggregateLimits.ts"
import type { CommandIdentity } from "./CommandIdentity.ts"
import { CommandIdReused, CommandInProgress } from "../CommandErrors.ts"
import { CommandAlreadyAccepted, type KeyedError } from "../actor/Envelope.ts"

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
>()("ordinal/aggregate/idempotency/KeyedCommands") {
  static readonly layer: Layer.Layer<KeyedCommands, never, EventStore> = Layer.effect(
    KeyedCommands,
    Effect.suspend(() => make)
  )
}

interface Running {
  readonly fingerprint: string
  readonly fiber: Fiber.Fiber<Once<unknown>, unknown>
}

export interface Once<A> {
  readonly answer: A
  readonly replayed: boolean
}

const isAlreadyAccepted = (error: unknown): error is CommandAlreadyAccepted => error instanceof CommandAlreadyAccepted

const make = Effect.gen(function* () {
  const log = yield* EventStore
  const { commandDeadline, shutdown } = yield* AggregateLimits
  const running = new Map<string, Running>()
  const runFork = yield* FiberSet.makeRuntime<never>()

  const recallStored = <A>(identity: CommandIdentity, recall: (remembered: Remembered) => A) =>
    Effect.flatMap(
      log.findCommand(identity.commandId),
      (stored): Effect.Effect<Once<A> | undefined, CommandIdReused> => {
        if (stored === undefined) return Effect.undefined
        if (stored.fingerprint !== identity.fingerprint) return Effect.fail(new CommandIdReused())
        return Effect.succeed({ answer: recall(stored), replayed: true })
      }
    )

  /** A refusal counts only if no twin on another node was accepted meanwhile; that is asked after it was decided. */
  const runOrRecall = Effect.fnUntraced(function* <A, E>(
    identity: CommandIdentity,
    run: Effect.Effect<A, E | KeyedError>,
    recall: (remembered: Remembered) => A
  ): Effect.fn.Return<Once<A>, E | OnceError> {
    const before = yield* recallStored(identity, recall)
    if (before !== undefined) return before
    const result = yield* Effect.result(run)
    if (Result.isSuccess(result)) return { answer: result.success, replayed: false }
    if (isAlreadyAccepted(result.failure)) return { answer: recall(result.failure), replayed: true }
    const after = yield* recallStored(identity, recall)
    if (after !== undefined) return after
    // What it is not was just excluded; for a type parameter the compiler can't say so.
    return yield* Effect.fail(result.failure as E)
  })

  const join = Effect.fnUntraced(function* (twin: Running, fingerprint: string) {
    if (twin.fingerprint !== fingerprint) return yield* new CommandIdReused()
    const exit = yield* Fiber.await(twin.fiber).pipe(Effect.timeoutOption(commandDeadline))
    if (Option.isNone(exit)) {
      return yield* new CommandInProgress({ retryAfter: Math.ceil(Duration.toSeconds(commandDeadline)) })
    }
    return { ...(yield* exit.value), replayed: true }
  })

  const once = <A, E>(
    identity: CommandIdentity,
    run: Effect.Effect<A, E | KeyedError>,
    recall: (remembered: Remembered) => A
  ): Effect.Effect<Once<A>, E | OnceError> =>
    Effect.suspend(() => {
      const { commandId, fingerprint } = identity
      const twin = running.get(commandId)
      // The same command, so the same answer.
      if (twin !== undefined) return join(twin, fingerprint) as Effect.Effect<Once<A>, E | OnceError>
      // One synchronous step with the look at `running`: two twins can't both run here, and none is left behind.
      const fiber = runFork(runOrRecall(identity, run, recall))
      running.set(commandId, { fingerprint, fiber })
      fiber.addObserver(() => running.delete(commandId))
      return Fiber.join(fiber)
    })

  yield* Effect.addFinalizer(() =>
    Fiber.awaitAll([...running.values()].map(({ fiber }) => fiber)).pipe(Effect.timeoutOption(shutdown))
  )

  return KeyedCommands.of({ once })
})
