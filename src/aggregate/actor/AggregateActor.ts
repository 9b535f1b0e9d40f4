/**
 * An actor: one fiber and one bounded mailbox per stream.
 *
 * Commands are decided one after the other. The state moves forward only on the event store's confirmation, no reply of a
 * drain leaves before the event store has answered for the whole drain, and every envelope is answered, whatever the
 * actor's end. The registry (`Aggregates`) starts the actor and shuts its mailbox down.
 */
import { Cause, Effect, Exit, Queue, Random, Semaphore } from "effect"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { Outcome } from "../../eventstore/EventStore.ts"
import { OutcomeUnknown, Overloaded } from "../../eventstore/EventStoreErrors.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import type { Aggregate } from "../Aggregate.ts"
import { AggregateSuspended, CommandIdReused, Draining, type SendError } from "../CommandErrors.ts"
import { UnknownEvent } from "../EventCodec.ts"
import type { ActorContext } from "./ActorContext.ts"
import * as ActorState from "./ActorState.ts"
import { append, type Decided, decideAll, type Lost, reconcile } from "./Drain.ts"
import { CommandAlreadyAccepted, type Envelope, makePending } from "./Envelope.ts"
import * as Span from "../../telemetry/Span.ts"

export interface AggregateActor<State, Command, Event, Rejection> {
  readonly streamId: StreamId
  readonly mailbox: Queue.Queue<Envelope<State, Command, Event, Rejection>>
  /** Counts the envelopes that have no answer yet, in the mailbox or taken from it. Only at 0 may the actor be removed. */
  open: number
  /** The monotonic clock's time of the last command, in milliseconds. */
  lastUsed: number
  /** The time, of the same clock, at which the cache last moved this actor behind all others. */
  movedAt: number
  readonly memory: Pick<ActorState.ActorState<State, Event>, "version" | "fallBehind" | "spoil">
  /** Loads the state, then serves the mailbox until it is shut down. Never fails. */
  readonly run: Effect.Effect<void>
}

export type AnyActor = AggregateActor<unknown, unknown, unknown, unknown>

export const make = <State, Command, Event, Rejection>(
  aggregate: Aggregate<State, Command, Event, Rejection>,
  streamId: StreamId,
  context: ActorContext,
  options: { readonly fresh: boolean }
): AggregateActor<State, Command, Event, Rejection> => {
  type Env = Envelope<State, Command, Event, Rejection>
  const { activations, answered, crashed, ended, limits, metrics, store } = context
  const memory = ActorState.make(aggregate, streamId, context, options)
  const mailbox = Effect.runSync(Queue.dropping<Env>(limits.mailbox))
  const pending = makePending<State, Command, Event, Rejection>(streamId, (exit, isRead) => {
    actor.open -= 1
    answered(streamId, exit, isRead)
  })

  /** An event that only a newer program knows is no defect of this one: it answers that it can't serve the stream. */
  const orUnknown = <A, E>(read: Effect.Effect<A, E>): Effect.Effect<A, E | AggregateSuspended> =>
    Effect.catchDefect(read, (defect) =>
      defect instanceof UnknownEvent
        ? Effect.fail(new AggregateSuspended({ retryAfter: 30, unknownEvent: defect.type }))
        : Effect.die(defect)
    )

  const failPending = (error: SendError) => Effect.sync(() => pending.answerAll(Exit.fail(error)))

  const accept = (envelope: Env, events: ReadonlyArray<Event>) => {
    const { eventId, position, state, version } = memory
    const { commandId } = envelope.metadata
    pending.answer(envelope, Exit.succeed({ state, version, position, eventId, commandId, events }))
  }

  const fail = (envelope: Env, defect: unknown, cause: "rules" | "caller" = "rules") =>
    Effect.suspend(() => {
      memory.spoil()
      if (cause === "rules") crashed(streamId)
      pending.answer(envelope, Exit.die(defect))
      return Effect.logError("A command failed by a defect.", defect)
    }).pipe(Effect.annotateLogs({ streamId, commandId: envelope.metadata.commandId }))

  /** Another process was faster: what is pending is decided anew on what it has stored. */
  const loseRace = (version: number) => {
    // The log went back: nothing that is in memory is a state of it.
    if (version < memory.version) memory.spoil()
    else memory.fallBehind()
    for (const envelope of pending.envelopes) envelope.lostRace = true
  }

  /** Answers a command that the drain did not store, unless it lost a race. */
  const answerLost = ({ envelope, outcome }: Lost<State, Command, Event, Rejection>): Effect.Effect<void> => {
    switch (outcome._tag) {
      case "Duplicate": {
        // Its events may be missing in memory: a twin of another process stored them, or this drain, which was sent twice.
        memory.fallBehind()
        const { position, receipt, version } = outcome
        pending.answer(envelope, Exit.fail(new CommandAlreadyAccepted({ version, position, receipt })))
        return Effect.void
      }
      case "Reused":
        pending.answer(envelope, Exit.fail(new CommandIdReused()))
        return Effect.void
      case "Refused":
        // The data of one caller can't be stored, which says nothing about the commands of others.
        return fail(envelope, new Error(`The event store refused the events: ${outcome.reason}`), "caller")
      case "Conflict":
        metrics.lost()
        loseRace(outcome.version)
        return Effect.void
    }
  }

  /** Answers up to the first command that the event store did not confirm; the rest stays pending. */
  const answerConfirmed = (
    decisions: ReadonlyArray<Decided<State, Command, Event, Rejection>>,
    outcomes: ReadonlyArray<Outcome>
  ): Effect.Effect<void> => {
    const { confirmed, lost } = reconcile(decisions, outcomes)
    for (const decision of confirmed) {
      const { envelope } = decision
      switch (decision._tag) {
        case "Append":
          memory.advance(decision.events, decision.stored)
          metrics.appended(decision.entry)
          accept(envelope, decision.events)
          break
        case "Unchanged":
          accept(envelope, [])
          break
        case "Refuse":
          pending.answer(envelope, Exit.fail(decision.error))
          break
        case "Defect":
          return fail(envelope, decision.defect)
      }
    }
    return Effect.forEach(lost, answerLost, { discard: true })
  }

  /** Decides what is pending and answers it as far as the event store confirms. */
  const decidePending = Effect.gen(function* () {
    yield* orUnknown(memory.refresh)
    const now = yield* MonotonicClock.millis
    pending.answerExpired(now, memory.version)
    if (pending.envelopes.size === 0) return
    const decided = decideAll(aggregate, streamId, memory, pending.envelopes)
    if (decided.some(({ _tag }) => _tag === "Append")) {
      // Whatever ends this fiber now, nobody can say that the commands on their way to the event store are undone.
      const outcomes = yield* append(store, decided, now).pipe(
        Effect.onError((cause) =>
          Cause.hasFails(cause) ? Effect.void : failPending(new OutcomeUnknown({ retryAfter: 1 }))
        )
      )
      yield* answerConfirmed(decided, outcomes)
    } else {
      // An answer that appends nothing is right only if the state was still the newest one after the decision.
      const isNewest = store.soleWriter && memory.phase._tag !== "Fresh"
      const version = isNewest ? memory.version : yield* store.currentVersion(streamId)
      if (version === memory.version) yield* answerConfirmed(decided, [])
      else loseRace(version)
    }
    const [next] = pending.envelopes
    if (next?.lostRace === true) yield* Effect.sleep(yield* Random.nextIntBetween(1, 50))
  })

  const answerPending = Effect.gen(function* () {
    while (pending.envelopes.size > 0) {
      yield* Effect.catch(decidePending, (error) => {
        if (error._tag === "OutcomeUnknown") memory.fallBehind()
        return failPending(error)
      })
    }
  })

  const drain = Effect.gen(function* () {
    const envelopes = yield* Queue.takeBetween(mailbox, 1, limits.drain)
    for (const envelope of envelopes) pending.envelopes.add(envelope)
    const [parent, ...others] = envelopes.flatMap(({ span }) => span ?? [])
    // Reads have no span, and a drain of nothing but reads has none either.
    if (parent === undefined) return yield* answerPending
    yield* Span.within("AggregateActor.drain", () => ({
      captureStackTrace: false,
      parent,
      links: others.map((span) => ({ span, attributes: {} })),
      attributes: { streamId, commands: envelopes.length }
    }))(answerPending)
  })

  /** One synchronous step: nobody can find the actor any more, and nobody it took is left without an answer. */
  const end = (exit: Exit.Exit<never, SendError>) =>
    Effect.sync(() => {
      ended(actor)
      for (let taken = Queue.takeUnsafe(mailbox); taken !== undefined && Exit.isSuccess(taken);) {
        pending.envelopes.add(taken.value)
        taken = Queue.takeUnsafe(mailbox)
      }
      Queue.shutdownUnsafe(mailbox)
      const isStopping = Exit.isSuccess(exit) || Cause.hasInterrupts(exit.cause)
      const isCommandLost = [...pending.envelopes].some(({ command }) => command !== undefined)
      if (!isStopping && isCommandLost && Cause.hasDies(exit.cause)) crashed(streamId)
      pending.answerAll(isStopping ? Exit.fail(new Draining({ retryAfter: 1 })) : exit)
    })

  const activate = Effect.gen(function* () {
    if (memory.phase._tag === "Fresh") return metrics.activated("new")
    const { span } = yield* Queue.peek(mailbox)
    const start = yield* MonotonicClock.millis
    let loadingSince = Infinity
    const load = Effect.flatMap(MonotonicClock.millis, (now) => {
      loadingSince = now
      return orUnknown(memory.load)
    })
    yield* Semaphore.withPermit(activations, load).pipe(
      Effect.timeoutOrElse({
        duration: limits.commandDeadline,
        // The permit may have come a moment ago; the database is blamed only if most of the time was its own.
        orElse: () =>
          Effect.flatMap(MonotonicClock.millis, (now): Effect.Effect<never, SendError> => {
            const isDatabaseSlow = now - loadingSince > loadingSince - start
            if (isDatabaseSlow) return Effect.fail(new DatabaseUnavailable({ retryAfter: 1 }))
            return Effect.fail(new Overloaded({ what: "the loading of ids into memory", retryAfter: 1 }))
          })
      }),
      Span.within("AggregateActor.activate", () => ({ ...(span && { parent: span }), attributes: { streamId } }))
    )
  })

  const run = activate.pipe(Effect.andThen(Effect.forever(drain)), Effect.onExit(end), Effect.exit, Effect.asVoid)
  const actor = { streamId, mailbox, open: 0, lastUsed: 0, movedAt: 0, memory, run }
  return actor
}
