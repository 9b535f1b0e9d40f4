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
import type { EventLog, Outcome } from "../eventlog/EventLog.ts"
import type { StreamId } from "../eventlog/StreamId.ts"
import { type DatabaseUnavailable, Overloaded } from "../eventlog/Unavailable.ts"
import type { Aggregate } from "./Aggregate.ts"
import type { AggregateLimits } from "./AggregateLimits.ts"
import type { Accepted, Answer, Envelope } from "./Envelope.ts"
import { type Judgement, judge } from "./Judgement.ts"
import { Draining, type SendError } from "./SendError.ts"

const pageSize = 500

/** What an actor needs of its registry. */
export interface ActorContext {
  readonly log: EventLog["Service"]
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
  /** The confirmed version in memory. */
  version: number
  /** The highest version of this stream that the process has seen in the log; above `version`, memory is behind. */
  seen: number
  /** Activates, then serves the mailbox until it is shut down. Never fails. */
  readonly run: Effect.Effect<void>
}

export const make = <State, Command, Event, Rejection>(
  aggregate: Aggregate<State, Command, Event, Rejection>,
  streamId: StreamId,
  mailbox: Queue.Queue<Envelope<State, Command, Event, Rejection>>,
  { activations, answered, ended, limits, log }: ActorContext
): AggregateActor<State, Command, Event, Rejection> => {
  type Env = Envelope<State, Command, Event, Rejection>
  const { codec, decider } = aggregate

  let state = decider.initialState
  let position = 0n
  let recordedAt = "1970-01-01T00:00:00.000Z"
  /** Taken from the mailbox, not yet answered, in order. */
  let pending: ReadonlyArray<Env> = []

  const actor: AggregateActor<State, Command, Event, Rejection> = {
    streamId,
    mailbox,
    running: false,
    open: 0,
    lastUsed: 0,
    version: 0,
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

  const apply = (event: Event, at: { readonly position: bigint; readonly recordedAt: string }) => {
    state = decider.evolve(state, event, at.recordedAt)
    actor.version += 1
    position = at.position
    recordedAt = at.recordedAt
  }

  /** Brings memory up to the log; the same read serves activation, a lost race and an unknown outcome. */
  const catchUp: Effect.Effect<void, DatabaseUnavailable> = Effect.gen(function* () {
    while (true) {
      const page = yield* log.readStream(streamId, { after: actor.version, limit: pageSize })
      for (const event of page) apply(codec.decode(event), event)
      if (page.length < pageSize) break
    }
    actor.seen = actor.version
  })

  const applyStored = (
    events: ReadonlyArray<Event>,
    stored: { readonly position: bigint; readonly recordedAt: string }
  ) => {
    const first = stored.position - BigInt(events.length - 1)
    events.forEach((event, index) => apply(event, { position: first + BigInt(index), recordedAt: stored.recordedAt }))
  }

  const accepted = (envelope: Env, events: ReadonlyArray<Event>): Exit.Exit<Accepted<State, Event>> =>
    Exit.succeed({ state, version: actor.version, position, commandId: envelope.metadata.commandId, events })

  /** Past its deadline a command is not decided (again). */
  const dropExpired = (now: number) => {
    const expired = pending.filter((envelope) => envelope.deadline <= now)
    if (expired.length === 0) return
    pending = pending.filter((envelope) => envelope.deadline > now)
    for (const envelope of expired) {
      const error =
        envelope.lostRace && envelope.command !== undefined
          ? new ConcurrencyConflict({ streamId, currentVersion: actor.version })
          : new Overloaded({ what: "the queue of this id", retryAfter: 1 })
      answer(envelope, Exit.fail(error))
    }
  }

  const isStored = (outcome: Outcome, events: ReadonlyArray<Event>) =>
    outcome._tag === "Accepted" || (outcome._tag === "Duplicate" && outcome.version === actor.version + events.length)

  /** Answers up to the first judgement that the log did not confirm; the rest stays pending. */
  const settle = (
    judgements: ReadonlyArray<Judgement<State, Command, Event, Rejection>>,
    outcomes: ReadonlyArray<Outcome>
  ): Effect.Effect<void> => {
    const appends = judgements.filter((judgement) => judgement._tag === "Append")
    const lost = appends.findIndex((judgement, index) => !isStored(outcomes[index]!, judgement.events))
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
          if (outcome._tag === "Accepted" || outcome._tag === "Duplicate") applyStored(judgement.events, outcome)
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
    if (lost === -1) return Effect.void
    const { envelope } = appends[lost]!
    const outcome = outcomes[lost]!
    if (outcome._tag === "Refused") {
      pending = pending.filter((other) => other !== envelope)
      return failed(envelope, new Error(`the log refused the events: ${outcome.reason}`))
    }
    for (const loser of pending) loser.lostRace = true
    return Effect.void
  }

  const failed = (envelope: Env, defect: unknown) =>
    Effect.logError("a command failed by a defect", defect).pipe(
      Effect.annotateLogs({ streamId, commandId: envelope.metadata.commandId }),
      Effect.andThen(Effect.sync(() => answer(envelope, Exit.die(defect))))
    )

  /** Decides what is pending and answers it as far as the log confirms. */
  const decidePending = Effect.gen(function* () {
    if (actor.seen > actor.version) yield* catchUp
    dropExpired(yield* Clock.currentTimeMillis)
    if (pending.length === 0) return
    const judgements = judge(aggregate, streamId, { state, version: actor.version, recordedAt }, pending)
    const entries = judgements.flatMap((judgement) => (judgement._tag === "Append" ? [judgement.entry] : []))
    if (entries.length > 0) {
      // The first entry's acceptance confirms what was decided before it, on the same version.
      const deadline = pending.reduce((least, envelope) => Math.min(least, envelope.deadline), Infinity)
      const outcomes = yield* log.append(entries, deadline)
      yield* settle(judgements, outcomes)
    } else if (log.soleWriter || (yield* log.currentVersion(streamId)) === actor.version) {
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
      const stopping = Exit.isSuccess(exit) || Cause.hasInterrupts(exit.cause)
      answerAll([...pending, ...waiting], stopping ? Exit.fail(new Draining({ retryAfter: 1 })) : exit)
      pending = []
    })

  const run = Semaphore.withPermit(activations, catchUp).pipe(
    Effect.andThen(Effect.forever(drain)),
    Effect.onExit(end),
    Effect.exit,
    Effect.asVoid
  )

  return actor
}
