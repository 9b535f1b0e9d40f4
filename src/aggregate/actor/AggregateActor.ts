/**
 * One fiber and one bounded mailbox per stream.
 *
 * Invariants: commands are decided one after the other; state moves forward only on the log's confirmation; no reply of a
 * drain leaves before the log has answered for the whole drain; every envelope it took is answered, whatever its end.
 *
 * It does not know when to stop: the registry (`Aggregates`) starts it and shuts its mailbox down.
 */
import { Cause, Clock, Deferred, Effect, Exit, Queue, Random, Semaphore } from "effect"
import { ConcurrencyConflict, OutcomeUnknown, Overloaded } from "../../eventstore/EventStoreErrors.ts"
import type { Outcome } from "../../eventstore/EventStore.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { ActorContext } from "./ActorContext.ts"
import type { Aggregate } from "../Aggregate.ts"
import * as ActorState from "./ActorState.ts"
import { CommandIdReused, Draining, type SendError } from "../CommandErrors.ts"
import * as DrainAppend from "./DrainAppend.ts"
import { type Accepted, type Answer, CommandAlreadyAccepted, type Envelope } from "./Envelope.ts"
import { type Judgement, judge } from "./Judgement.ts"
import { type Append, confirmedUntil } from "./Settlement.ts"

export interface AggregateActor<State, Command, Event, Rejection> {
  readonly streamId: StreamId
  readonly mailbox: Queue.Queue<Envelope<State, Command, Event, Rejection>>
  /** Its fiber was forked. Not before its mailbox has a first command, since an activation may fail at once. */
  running: boolean
  /** Taken or waiting, not yet answered. Only with 0 may the actor be removed. */
  open: number
  /** Epoch milliseconds of the last command. */
  lastUsed: number
  /** When it was last put in its place in order of use. */
  movedAt: number
  /** What it knows of its stream. */
  readonly memory: { readonly version: number }
  /** The highest version of this stream that the process has seen in the log; above the version in memory, memory is behind. */
  seen: number
  /** Activates, then serves the mailbox until it is shut down. Never fails. */
  readonly run: Effect.Effect<void>
}

export type AnyActor = AggregateActor<unknown, unknown, unknown, unknown>

export const make = <State, Command, Event, Rejection>(
  aggregate: Aggregate<State, Command, Event, Rejection>,
  streamId: StreamId,
  mailbox: Queue.Queue<Envelope<State, Command, Event, Rejection>>,
  context: ActorContext,
  options: { readonly fresh: boolean }
): AggregateActor<State, Command, Event, Rejection> => {
  const { activations, answered, crashed, ended, limits, log } = context
  type Env = Envelope<State, Command, Event, Rejection>
  const memory = ActorState.make(aggregate, streamId, context)
  const append = DrainAppend.make<State, Command, Event, Rejection>(log, streamId)
  /** Taken from the mailbox, not yet answered, in order. */
  const pending = new Set<Env>()
  /** True while nothing was read: the id was made just now, so its stream is presumed to be empty. */
  let unread = options.fresh
  /** A defect may have left anything in memory. */
  let spoiled = false
  /** An append is on its way: what it has taken can't be said to be undone. */
  let appending = false

  const actor: AggregateActor<State, Command, Event, Rejection> = {
    streamId,
    mailbox,
    running: false,
    open: 0,
    lastUsed: 0,
    movedAt: 0,
    memory,
    seen: 0,
    run: Effect.suspend(() => run)
  }

  const answer = (envelope: Env, exit: Answer<State, Event, Rejection>) => {
    pending.delete(envelope)
    actor.open -= 1
    answered(streamId, exit)
    // Last: the caller goes on within this very call.
    Deferred.doneUnsafe(envelope.reply, exit)
  }

  // An answered envelope leaves `pending`: a Set bears that while it is walked.
  const answerAll = (envelopes: Iterable<Env>, exit: Answer<State, Event, Rejection>) => {
    for (const envelope of envelopes) answer(envelope, exit)
  }

  const failPending = (error: SendError) => Effect.sync(() => answerAll(pending, Exit.fail(error)))

  const isCurrent = () => {
    actor.seen = memory.version
    unread = false
    spoiled = false
  }
  const catchUp = Effect.suspend(() => Effect.map(spoiled ? memory.activate : memory.catchUp, isCurrent))

  const accepted = (envelope: Env, events: ReadonlyArray<Event>): Exit.Exit<Accepted<State, Event>> =>
    Exit.succeed({
      state: memory.state,
      version: memory.version,
      position: memory.position,
      commandId: envelope.metadata.commandId,
      events
    })

  /** Past its deadline a command is not decided (again). */
  const dropExpired = (now: number) => {
    for (const envelope of [...pending].filter(({ deadline }) => deadline <= now)) {
      const error =
        envelope.lostRace && envelope.command !== undefined
          ? new ConcurrencyConflict({ streamId, currentVersion: memory.version })
          : new Overloaded({ what: "the queue of this id", retryAfter: 1 })
      answer(envelope, Exit.fail(error))
    }
  }

  const failed = (envelope: Env, defect: unknown) =>
    Effect.suspend(() => {
      spoiled = true
      crashed(streamId)
      answer(envelope, Exit.die(defect))
      return Effect.logError("a command failed by a defect", defect)
    }).pipe(Effect.annotateLogs({ streamId, commandId: envelope.metadata.commandId }))

  /** Answers up to the first judgement that the log did not confirm; the rest stays pending. */
  const settle = (
    judgements: ReadonlyArray<Judgement<State, Command, Event, Rejection>>,
    outcomes: ReadonlyArray<Outcome>,
    own?: Append<Judgement<State, Command, Event, Rejection>>
  ): Effect.Effect<void> => {
    const { confirmed, lost } = confirmedUntil(judgements, outcomes, own)
    for (const { judgement, stored } of confirmed) {
      const { envelope } = judgement
      switch (judgement._tag) {
        case "Append":
          if (stored !== undefined) {
            memory.store(judgement.events, stored)
            context.appended(judgement.entry)
          }
          unread = false
          answer(envelope, accepted(envelope, judgement.events))
          break
        case "Unchanged":
          answer(envelope, accepted(envelope, []))
          break
        case "Refuse":
          answer(envelope, Exit.fail(judgement.error))
          break
        case "Defect":
          return failed(envelope, judgement.defect)
      }
    }
    return lost === undefined ? Effect.void : lose(lost.judgement.envelope, lost.outcome)
  }

  /** The first append that the log did not take. Whatever was decided after it has to be decided anew. */
  const lose = (envelope: Env, outcome: Outcome): Effect.Effect<void> => {
    switch (outcome._tag) {
      case "Accepted":
      case "Duplicate": {
        // A twin's events, or this drain's own, are in the log and not in memory.
        actor.seen = Infinity
        const { position, version } = outcome
        const receipt = outcome._tag === "Duplicate" ? outcome.receipt : undefined
        answer(envelope, Exit.fail(new CommandAlreadyAccepted({ version, position, receipt })))
        return Effect.void
      }
      case "Reused":
        answer(envelope, Exit.fail(new CommandIdReused()))
        return Effect.void
      case "Refused":
        return failed(envelope, new Error(`the log refused the events: ${outcome.reason}`))
      case "Conflict":
        context.lost()
        for (const loser of pending) loser.lostRace = true
        return Effect.void
    }
  }

  const store = (judgements: ReadonlyArray<Judgement<State, Command, Event, Rejection>>, now: number) => {
    appending = true
    // The flag stays up if this fiber is interrupted in mid-append: `end` reads it.
    return Effect.map(Effect.result(append(judgements, now)), (result) => {
      appending = false
      return result
    }).pipe(Effect.flatMap(Effect.fromResult))
  }

  /** Decides what is pending and answers it as far as the log confirms. */
  const decidePending = Effect.gen(function* () {
    if (spoiled || actor.seen > memory.version) yield* catchUp
    const now = yield* Clock.currentTimeMillis
    dropExpired(now)
    if (pending.size === 0) return
    const judgements = judge(aggregate, streamId, memory, [...pending])
    if (judgements.some(({ _tag }) => _tag === "Append")) {
      const { outcomes, own } = yield* store(judgements, now)
      yield* settle(judgements, outcomes, own)
    } else if ((log.soleWriter && !unread) || (yield* log.currentVersion(streamId)) === memory.version) {
      yield* settle(judgements, [])
    } else {
      for (const envelope of pending) envelope.lostRace = true
    }
    const [next] = pending
    if (next === undefined) return
    if (next.lostRace) yield* Effect.sleep(yield* Random.nextIntBetween(1, 50))
    yield* catchUp
  })

  const drain = Effect.gen(function* () {
    for (const envelope of yield* Queue.takeBetween(mailbox, 1, limits.drain)) pending.add(envelope)
    while (pending.size > 0) {
      yield* decidePending.pipe(
        Effect.catchTag("OutcomeUnknown", (error) => {
          actor.seen = Infinity
          return failPending(error)
        }),
        Effect.catch(failPending)
      )
    }
  })

  /** One synchronous step: nobody can find the actor any more, and nobody it took is left without an answer. */
  const end = (exit: Exit.Exit<never, DatabaseUnavailable>) =>
    Effect.sync(() => {
      ended(actor)
      const waiting: Array<Env> = []
      for (let taken = Queue.takeUnsafe(mailbox); taken !== undefined && Exit.isSuccess(taken);) {
        waiting.push(taken.value)
        taken = Queue.takeUnsafe(mailbox)
      }
      Queue.shutdownUnsafe(mailbox)
      if (pending.size + waiting.length === 0) return
      const stopping = Exit.isSuccess(exit) || Cause.hasInterrupts(exit.cause)
      if (!stopping && Cause.hasDies(exit.cause)) crashed(streamId)
      const undone = stopping ? Exit.fail(new Draining({ retryAfter: 1 })) : exit
      answerAll(pending, appending ? Exit.fail(new OutcomeUnknown({ retryAfter: 1 })) : undone)
      answerAll(waiting, undone)
    })

  const activate = Effect.suspend(() => {
    if (unread) return Effect.sync(() => context.activated("new"))
    return Semaphore.withPermit(activations, memory.activate).pipe(
      Effect.timeoutOrElse({
        duration: limits.commandDeadline,
        orElse: () => Effect.fail(new DatabaseUnavailable({ retryAfter: 1 }))
      })
    )
  })

  const run = activate.pipe(Effect.andThen(Effect.forever(drain)), Effect.onExit(end), Effect.exit, Effect.asVoid)

  return actor
}
