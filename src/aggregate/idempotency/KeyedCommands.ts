/**
 * Exactly-once commands: the way of a command whose caller may send it again.
 *
 * The same command running in this process is joined; one that was accepted before is answered with what was stored
 * then; otherwise it runs. A rejection is not stored, so the next try is decided anew. Between twins on two nodes the
 * event store decides, since it stores a command's row by the same statement as the command's events.
 */
import { Context, Duration, Effect, Fiber, FiberSet, Option, Result, Tracer } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { EventStore, type StoredCommand } from "../../eventstore/EventStore.ts"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import { CommandAlreadyAccepted, type KeyedError } from "../actor/Envelope.ts"
import { AggregateLimits } from "../AggregateLimits.ts"
import { CommandIdReused, CommandInProgress } from "../CommandErrors.ts"
import type { CommandIdentity } from "./CommandIdentity.ts"
import * as Span from "../../telemetry/Span.ts"

/** The part of an accepted command that its answer is made from when the command is sent again. */
type Remembered = Pick<StoredCommand, "version" | "position" | "receipt">

type OnceError = CommandIdReused | CommandInProgress | DatabaseUnavailable

interface Once<A> {
  readonly answer: A
  readonly replayed: boolean
}

interface Running {
  readonly fingerprint: string
  readonly fiber: Fiber.Fiber<Once<unknown>, unknown>
}

/**
 * Makes `once(identity, run, recall)`: `run` sends the command by `Aggregates.sendKeyed` and makes the answer; `recall`
 * makes the same answer from what is stored. `run` goes on if its caller goes away, with the caller's services: its spans are
 * recorded where the caller's are, and its lines in the log carry the same annotations.
 */
export const make = Effect.gen(function* () {
  const store = yield* EventStore
  const { commandDeadline, shutdown } = yield* AggregateLimits
  const running = new Map<string, Running>()
  const runFork = yield* FiberSet.makeRuntime<never>()

  const recallStored = <A>(identity: CommandIdentity, recall: (remembered: Remembered) => A) =>
    Effect.flatMap(
      store.findCommand(identity.commandId),
      (stored): Effect.Effect<Once<A> | undefined, CommandIdReused> => {
        if (stored === undefined) return Effect.undefined
        if (stored.fingerprint !== identity.fingerprint) return Effect.fail(new CommandIdReused())
        return Effect.succeed({ answer: recall(stored), replayed: true })
      }
    )

  const runOrRecall = Effect.fnUntraced(function* <A, E>(
    identity: CommandIdentity,
    run: Effect.Effect<A, E | KeyedError>,
    recall: (remembered: Remembered) => A
  ): Effect.fn.Return<Once<A>, E | OnceError> {
    const before = yield* recallStored(identity, recall)
    if (before !== undefined) return before
    const result = yield* Effect.result(run)
    if (Result.isSuccess(result)) return { answer: result.success, replayed: false }
    const error = result.failure
    if (error instanceof CommandAlreadyAccepted) return { answer: recall(error), replayed: true }
    // A refusal counts only if no twin on another node was accepted meanwhile, so the event store is asked after it.
    // An unknown outcome stays unknown where the event store can't tell either.
    const after = yield* recallStored(identity, recall).pipe(
      Effect.catchTag("DatabaseUnavailable", (unavailable) =>
        error instanceof OutcomeUnknown ? Effect.undefined : Effect.fail(unavailable)
      )
    )
    if (after !== undefined) return after
    return yield* Effect.fail(error as Exclude<typeof error, CommandAlreadyAccepted>)
  })

  const join = Effect.fnUntraced(function* (twin: Running, fingerprint: string) {
    if (twin.fingerprint !== fingerprint) return yield* new CommandIdReused()
    const exit = yield* Fiber.await(twin.fiber).pipe(Effect.timeoutOption(commandDeadline))
    if (Option.isNone(exit)) {
      return yield* new CommandInProgress({ retryAfter: Math.ceil(Duration.toSeconds(commandDeadline)) })
    }
    return { ...(yield* exit.value), replayed: true }
  })

  yield* Effect.addFinalizer(() =>
    Fiber.awaitAll([...running.values()].map(({ fiber }) => fiber)).pipe(Effect.timeoutOption(shutdown))
  )

  return <A, E>(
    identity: CommandIdentity,
    run: Effect.Effect<A, E | KeyedError>,
    recall: (remembered: Remembered) => A
  ): Effect.Effect<Once<A>, E | OnceError> =>
    Span.use("KeyedCommands.once", (span) =>
      Effect.withFiber((caller) => {
        const { commandId, fingerprint } = identity
        const twin = running.get(commandId)
        // A twin is the same command, so it has the same answer.
        if (twin !== undefined) return join(twin, fingerprint) as Effect.Effect<Once<A>, E | OnceError>
        // One synchronous step with the look at `running`: two twins can't both run here, and none is left behind.
        const fiber = runFork(
          Effect.provideContext(
            runOrRecall(identity, run, recall),
            span === undefined ? caller.context : Context.add(caller.context, Tracer.ParentSpan, span)
          )
        )
        running.set(commandId, { fingerprint, fiber })
        fiber.addObserver(() => running.delete(commandId))
        return Fiber.join(fiber)
      })
    )
})
