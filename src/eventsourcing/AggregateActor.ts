/**
 * One fiber and one bounded mailbox per stream.
 *
 * Invariants: commands are decided one after the other; state moves forward only on the log's confirmation; no reply of a
 * drain leaves before the log has answered for the whole drain; every envelope it took is answered, whatever its end.
 *
 * It does not know when to stop: the registry (`Aggregates`) starts it and shuts its mailbox down.
 */
import { Cause, Clock, Deferred, Effect, Exit, Queue, Random, Semaphore } from "effect"
import { ConcurrencyConflict } from "../eventlog/ConcurrencyConflict.ts"
import type { Outcome, StoredCommand } from "../eventlog/EventLog.ts"
import type { StreamId } from "../eventlog/StreamId.ts"
import { type DatabaseUnavailable, Overloaded } from "../eventlog/Unavailable.ts"
import type { Aggregate } from "./Aggregate.ts"
import * as AggregateMemory from "./AggregateMemory.ts"
import type { AggregateLimits } from "./AggregateLimits.ts"
import { CommandIdReused } from "./CommandIdReused.ts"
import { type Accepted, type Answer, CommandAlreadyAccepted, type Envelope } from "./Envelope.ts"
import { type Judgement, judge } from "./Judgement.ts"
import { Draining, type SendError } from "./SendError.ts"

/** What an actor needs of its registry. */
export interface ActorContext extends AggregateMemory.MemoryContext {
  readonly limits: AggregateLimits
  readonly activations: Semaphore.Semaphore
  /** Told of every answer, once. */
  answered(streamId: StreamId, exit: Exit.Exit<unknown, unknown>): void
  /** Told of the actor's end, in the same synchronous step in which its last envelopes are answered. */
  ended(actor: { readonly streamId: StreamId; readonly mailbox: unknown }): void
}

export interface AggregateActor<State, Command, Event, Rejection> {
  readonly streamId: StreamId
  readonly mailbox: Queue.Queue<Envelope<State, Command, Event, Rejection>>
  /** Its fiber was forked. Not before its mailbox has a first command, since an activation may fail at once. */
  running: boolean
  /** Taken or waiting, not yet answered. Only with 0 may the actor be removed. */
  open: number
  /** Epoch milliseconds of the last command. */
  lastUsed: number
  /** What it knows of its stream. */
  readonly memory: { readonly version: number }
  /** The highest version of this stream that the process has seen in the log; above the version in memory, memory is behind. */
  seen: number
  /** Activates, then serves the mailbox until it is shut down. Never fails. */
  readonly run: Effect.Effect<void>
}

const alreadyAccepted = ({
  position,
  receipt,
  version
}: Pick<StoredCommand, "position" | "version"> & { readonly receipt?: unknown }) =>
  new CommandAlreadyAccepted({ version, position, receipt })

export const make = <State, Command, Event, Rejection>(
  aggregate: Aggregate<State, Command, Event, Rejection>,
  streamId: StreamId,
  mailbox: Queue.Queue<Envelope<State, Command, Event, Rejection>>,
  context: ActorContext,
  options: { readonly fresh: boolean }
): AggregateActor<State, Command, Event, Rejection> => {
  const { activations, answered, ended, limits, log } = context
  type Env = Envelope<State, Command, Event, Rejection>
  const memory = AggregateMemory.make(aggregate, streamId, context)
  /** True while nothing was read: the id was made just now, so its stream is presumed to be empty. */
  let unread = options.fresh
  /** Taken from the mailbox, not yet answered, in order. */
  let pending: ReadonlyArray<Env> = []

  const actor: AggregateActor<State, Command, Event, Rejection> = {
    streamId,
    mailbox,
    running: false,
    open: 0,
    lastUsed: 0,
    memory,
    seen: 0,
    run: Effect.suspend(() => run)
  }

  const answer = (envelope: Env, exit: Answer<State, Event, Rejection>) => {
    actor.open -= 1
    answered(streamId, exit)
    // Last: the caller goes on within this very call.
    Deferred.doneUnsafe(envelope.reply, exit)
  }

  const answerAll = (envelopes: ReadonlyArray<Env>, exit: Answer<State, Event, Rejection>) => {
    for (const envelope of envelopes) answer(envelope, exit)
  }

  const failPending = (error: SendError) =>
    Effect.sync(() => {
      answerAll(pending, Exit.fail(error))
      pending = []
    })

  const catchUp = Effect.map(memory.catchUp, () => {
    actor.seen = memory.version
    // From here on the version in memory is one that the log had.
    unread = false
  })

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
    const expired = pending.filter((envelope) => envelope.deadline <= now)
    if (expired.length === 0) return
    pending = pending.filter((envelope) => envelope.deadline > now)
    for (const envelope of expired) {
      const error =
        envelope.lostRace && envelope.command !== undefined
          ? new ConcurrencyConflict({ streamId, currentVersion: memory.version })
          : new Overloaded({ what: "the queue of this id", retryAfter: 1 })
      answer(envelope, Exit.fail(error))
    }
  }

  /** A duplicate that is not keyed is known by its events: it is this very append, sent twice by the log's writer. */
  const isStored = (outcome: Outcome, { envelope }: { readonly envelope: Env }) =>
    outcome._tag === "Accepted" || (outcome._tag === "Duplicate" && envelope.keyed === undefined)

  /** Answers up to the first judgement that the log did not confirm; the rest stays pending. */
  const settle = (
    judgements: ReadonlyArray<Judgement<State, Command, Event, Rejection>>,
    outcomes: ReadonlyArray<Outcome>
  ): Effect.Effect<void> => {
    const appends = judgements.filter((judgement) => judgement._tag === "Append")
    const lost = appends.findIndex((judgement, index) => !isStored(outcomes[index]!, judgement))
    // Nothing but the first append's acceptance confirms the version that the answers before it were decided on.
    const confirmed =
      lost === -1 ? judgements : lost === 0 ? [] : judgements.slice(0, judgements.indexOf(appends[lost]!))
    let next = 0
    for (const judgement of confirmed) {
      const { envelope } = judgement
      pending = pending.slice(1)
      switch (judgement._tag) {
        case "Append": {
          const outcome = outcomes[next++]!
          if (outcome._tag === "Accepted" || outcome._tag === "Duplicate") memory.store(judgement.events, outcome)
          unread = false
          answer(envelope, accepted(envelope, judgement.events))
          break
        }
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
    return lost === -1 ? Effect.void : lose(appends[lost]!.envelope, outcomes[lost]!)
  }

  /** The first append that the log did not take. Whatever was decided after it has to be decided anew. */
  const lose = (envelope: Env, outcome: Outcome): Effect.Effect<void> => {
    const isAnswer = outcome._tag !== "Conflict"
    if (isAnswer) pending = pending.filter((other) => other !== envelope)
    switch (outcome._tag) {
      case "Accepted":
      case "Duplicate":
        answer(envelope, Exit.fail(alreadyAccepted(outcome)))
        return Effect.void
      case "Reused":
        answer(envelope, Exit.fail(new CommandIdReused()))
        return Effect.void
      case "Refused":
        return failed(envelope, new Error(`the log refused the events: ${outcome.reason}`))
      case "Conflict":
        for (const loser of pending) loser.lostRace = true
        return Effect.void
    }
  }

  const failed = (envelope: Env, defect: unknown) =>
    Effect.logError("a command failed by a defect", defect).pipe(
      Effect.annotateLogs({ streamId, commandId: envelope.metadata.commandId }),
      Effect.andThen(Effect.sync(() => answer(envelope, Exit.die(defect))))
    )

  /** A twin on another node may have been accepted meanwhile; then its answer counts, not this refusal. */
  const lookUpTwin = Effect.fnUntraced(function* (judgement: Judgement<State, Command, Event, Rejection>) {
    const { keyed, metadata } = judgement.envelope
    if (judgement._tag !== "Refuse" || keyed === undefined || log.soleWriter) return judgement
    const twin = yield* log.findCommand(metadata.commandId)
    if (twin === undefined) return judgement
    const error = twin.fingerprint === keyed.fingerprint ? alreadyAccepted(twin) : new CommandIdReused()
    return { ...judgement, error }
  })

  /** Decides what is pending and answers it as far as the log confirms. */
  const decidePending = Effect.gen(function* () {
    if (actor.seen > memory.version) yield* catchUp
    dropExpired(yield* Clock.currentTimeMillis)
    if (pending.length === 0) return
    const judged = judge(aggregate, streamId, memory, pending)
    const judgements = pending.some(({ keyed }) => keyed !== undefined)
      ? yield* Effect.forEach(judged, lookUpTwin)
      : judged
    const entries = judgements.flatMap((judgement) => (judgement._tag === "Append" ? [judgement.entry] : []))
    if (entries.length > 0) {
      // The first entry's acceptance confirms what was decided before it, on the same version.
      const deadline = pending.reduce((least, envelope) => Math.min(least, envelope.deadline), Infinity)
      const outcomes = yield* log.append(entries, deadline)
      yield* settle(judgements, outcomes)
    } else if ((log.soleWriter && !unread) || (yield* log.currentVersion(streamId)) === memory.version) {
      yield* settle(judgements, [])
    } else {
      for (const envelope of pending) envelope.lostRace = true
    }
    if (pending.length === 0) return
    if (pending[0]!.lostRace) yield* Effect.sleep(yield* Random.nextIntBetween(1, 50))
    yield* catchUp
  })

  const drain = Effect.gen(function* () {
    pending = yield* Queue.takeBetween(mailbox, 1, limits.drain)
    while (pending.length > 0) {
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
      const open = [...pending, ...waiting]
      if (open.length === 0) return
      const stopping = Exit.isSuccess(exit) || Cause.hasInterrupts(exit.cause)
      answerAll(open, stopping ? Exit.fail(new Draining({ retryAfter: 1 })) : exit)
      pending = []
    })

  const activate = Effect.suspend(() => (unread ? Effect.void : Semaphore.withPermit(activations, memory.activate)))

  const run = activate.pipe(Effect.andThen(Effect.forever(drain)), Effect.onExit(end), Effect.exit, Effect.asVoid)

  return actor
}
