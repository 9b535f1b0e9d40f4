/**
 * Exactly-once commands: the way of a command whose caller may send it again.
 *
 * The same command running in this process is joined; otherwise it runs. The event store keeps a command's row by the same
 * statement as the command's events, so it decides between twins, on two nodes or years apart: one that was accepted
 * before is answered with what was stored then. A rejection is not stored, so the next try is decided anew, unless the
 * caller wants it kept: then its row stands in the way of every twin, as that of an accepted command does.
 */
import { Cause, Context, Duration, Effect, Fiber, FiberSet, Option, Tracer } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { EventStore, type StoredCommand } from "../../eventstore/EventStore.ts"
import { OutcomeUnknown, type Overloaded } from "../../eventstore/EventStoreErrors.ts"
import * as StreamId from "../../eventstore/StreamId.ts"
import { CommandAlreadyAccepted, type KeyedError } from "../actor/Envelope.ts"
import { AggregateLimits } from "../AggregateLimits.ts"
import { CommandIdReused, CommandInProgress } from "../CommandErrors.ts"
import type { CommandIdentity } from "./CommandIdentity.ts"
import * as Span from "../../telemetry/Span.ts"

/** The part of an accepted command that its answer is made from when the command is sent again. */
export type Remembered = Pick<StoredCommand, "version" | "position" | "receipt">

type OnceError = CommandIdReused | CommandInProgress | DatabaseUnavailable | Overloaded | OutcomeUnknown

interface Once<A> {
  readonly answer: A
  readonly replayed: boolean
}

interface Running {
  readonly fingerprint: string
  readonly fiber: Fiber.Fiber<Once<unknown>, unknown>
}

/**
 * Makes `once(identity, run, recall, refusalOf)`: `run` sends the command by `Aggregates.sendKeyed` and makes the answer; `recall`
 * makes the same answer from what is stored; `refusalOf` makes the receipt of an error that is kept. `run` goes on if its caller goes away, with the caller's services: its spans are
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

  /** Keeps a refusal, unless a twin was accepted or refused meanwhile: then that is the answer. */
  const refuse = Effect.fnUntraced(function* <A, E>(
    { commandId, fingerprint }: CommandIdentity,
    error: unknown,
    failed: Effect.Effect<never, E>,
    recall: (remembered: Remembered) => A,
    refusalOf: (error: unknown) => unknown
  ) {
    const receipt = error === undefined ? undefined : refusalOf(error)
    if (receipt === undefined) return yield* failed
    const metadata = { commandId, correlationId: commandId, causationId: commandId }
    const streamId = StreamId.make("refused", commandId)
    const entry = { streamId, expected: 0, commandId, keyed: { fingerprint, receipt }, events: [], metadata }
    const [outcome] = yield* store.append([entry], Duration.toMillis(commandDeadline))
    if (outcome?._tag === "Reused") return yield* new CommandIdReused()
    if (outcome?._tag !== "Duplicate") return yield* failed
    return { answer: recall({ ...outcome, receipt: outcome.receipt }), replayed: true }
  })

  /**
   * The append itself tells a command that was accepted before, so the event store is not asked before the first try. It
   * is asked after any other failure: a refusal, an overload, a precondition or a defect counts only for a command that was
   * not accepted, be it long ago or by a twin on another node just now.
   */
  const runOrRecall = <A, E>(
    identity: CommandIdentity,
    run: Effect.Effect<A, E | KeyedError>,
    recall: (remembered: Remembered) => A,
    refusalOf: (error: unknown) => unknown
  ): Effect.Effect<Once<A>, E | OnceError> =>
    Effect.matchCauseEffect(run, {
      onSuccess: (answer): Effect.Effect<Once<A>, E | OnceError> => Effect.succeed({ answer, replayed: false }),
      onFailure: (cause) => {
        const error = Option.getOrUndefined(Cause.findErrorOption(cause))
        if (error instanceof CommandAlreadyAccepted) return Effect.succeed({ answer: recall(error), replayed: true })
        const failed = Effect.failCause(cause as Cause.Cause<Exclude<E | KeyedError, CommandAlreadyAccepted>>)
        if (error instanceof CommandIdReused || Cause.hasInterrupts(cause)) return failed
        return recallStored(identity, recall).pipe(
          // If the event store can't tell, the caller gets the unknown outcome, or the defect, that the command ended with.
          Effect.catchTag("DatabaseUnavailable", (unavailable) =>
            error === undefined || error instanceof OutcomeUnknown ? Effect.undefined : Effect.fail(unavailable)
          ),
          Effect.flatMap((stored): Effect.Effect<Once<A>, E | OnceError> =>
            stored === undefined ? refuse(identity, error, failed, recall, refusalOf) : Effect.succeed(stored)
          )
        )
      }
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
    recall: (remembered: Remembered) => A,
    refusalOf: (error: unknown) => unknown = () => undefined
  ): Effect.Effect<Once<A>, E | OnceError> =>
    Span.use("KeyedCommands.once", (span) =>
      Effect.withFiber((caller) => {
        const { commandId, fingerprint } = identity
        const twin = running.get(commandId)
        // A twin is the same command, so it has the same answer.
        if (twin !== undefined) return join(twin, fingerprint) as Effect.Effect<Once<A>, E | OnceError>
        // One synchronous step with the look at `running`: two twins can't both run here, and none is left behind.
        const fiber = runFork(
          // To provide the caller's context would merge the two, some 10 µs; nothing of this service's own is needed.
          Effect.updateContext(runOrRecall(identity, run, recall, refusalOf), () =>
            span === undefined ? caller.context : Context.add(caller.context, Tracer.ParentSpan, span)
          )
        )
        running.set(commandId, { fingerprint, fiber })
        fiber.addObserver(() => running.delete(commandId))
        return Fiber.join(fiber)
      })
    )
})
