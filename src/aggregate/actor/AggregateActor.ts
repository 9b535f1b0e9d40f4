/**
 * An actor: the state of one stream, and while commands wait for it one bounded mailbox and one fiber.
 *
 * Commands are decided one after the other. The state moves forward only on the event store's confirmation, no reply of a
 * drain leaves before the event store has answered for the whole drain, and every envelope is answered, whatever ends the
 * fiber. The fiber starts with the first envelope, and ends in the same synchronous step in which it finds none, so there
 * is at most one. An idle actor is a record of its state and no more.
 */
import { Cause, Effect, Exit, Random } from "effect"
import type { Guard, Outcome } from "../../eventstore/EventStore.ts"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import * as Span from "../../telemetry/Span.ts"
import type { Aggregate } from "../Aggregate.ts"
import { CommandIdReused, Draining, GuardMoved, type SendError } from "../CommandErrors.ts"
import { activate, orUnknown } from "./Activation.ts"
import type { ActorContext } from "./ActorContext.ts"
import { ActorState } from "./ActorState.ts"
import { append, type Decided, decideAll, findMoved, type Lost, reconcile } from "./Drain.ts"
import { CommandAlreadyAccepted, type CommandExit, type Envelope, Mailbox } from "./Envelope.ts"

export class AggregateActor<State, Command, Event, Rejection> {
  readonly memory: ActorState<State, Command, Event, Rejection>
  /** The actor has a mailbox while it has a fiber. */
  mailbox: Mailbox<State, Command, Event, Rejection> | undefined = undefined
  isActivated = false
  /** The monotonic clock's time of the last command, in milliseconds. */
  lastUsed = 0
  /** The time, of the same clock, at which the cache last moved this actor behind all others. */
  movedAt = 0
  /** The cache's estimate of the bytes that this actor takes, and the version from which on that is made anew. */
  weight = 0
  weighAt = 0

  constructor(
    aggregate: Aggregate<State, Command, Event, Rejection>,
    streamId: StreamId,
    context: ActorContext,
    isFresh: boolean
  ) {
    this.memory = new ActorState(aggregate, streamId, context, isFresh)
  }

  /** The number of envelopes that have no answer yet. Only at 0 may the actor be removed. */
  get open(): number {
    return this.mailbox?.open ?? 0
  }

  get isFull(): boolean {
    return this.mailbox !== undefined && this.mailbox.waiting.length >= this.memory.context.limits.mailbox
  }

  /** Puts an envelope into the mailbox, and starts a fiber if there is none. There must be room. */
  enqueue(envelope: Envelope<State, Command, Event, Rejection>): void {
    const { context, streamId } = this.memory
    if (this.mailbox !== undefined) {
      this.mailbox.waiting.push(envelope)
      return
    }
    const mailbox = new Mailbox<State, Command, Event, Rejection>(streamId, context.answered)
    mailbox.waiting.push(envelope)
    this.mailbox = mailbox
    const serving = new Serving(this, this.memory, mailbox)
    context.run(Effect.onExit(serving.run(), (exit) => (Exit.isSuccess(exit) ? Effect.void : serving.fail(exit.cause))))
  }
}

export type AnyActor = AggregateActor<unknown, unknown, unknown, unknown>

/** What the fiber of an actor does, from the first envelope until none waits. */
class Serving<State, Command, Event, Rejection> {
  readonly actor: AggregateActor<State, Command, Event, Rejection>
  readonly memory: ActorState<State, Command, Event, Rejection>
  readonly mailbox: Mailbox<State, Command, Event, Rejection>
  /** True while decided commands are on their way to the event store. */
  isStoring = false

  constructor(
    actor: AggregateActor<State, Command, Event, Rejection>,
    memory: ActorState<State, Command, Event, Rejection>,
    mailbox: Mailbox<State, Command, Event, Rejection>
  ) {
    this.actor = actor
    this.memory = memory
    this.mailbox = mailbox
  }

  run(): Effect.Effect<void, SendError> {
    return Effect.gen({ self: this }, function* () {
      const { actor, mailbox, memory } = this
      const { context } = memory
      if (!actor.isActivated) yield* activate(memory, mailbox.waiting[0]?.span)
      actor.isActivated = true
      const drain = Effect.whileLoop({
        while: () => mailbox.pending.size > 0,
        body: () => this.#attempt(),
        step: () => {}
      })
      while (true) {
        const envelopes = mailbox.take(context.limits.drain)
        if (envelopes.length === 0) break
        yield* this.#inSpan(drain, envelopes)
      }
      // There was no yield since the mailbox was found empty: whoever comes from now on starts another fiber.
      actor.mailbox = undefined
      context.rested(actor)
    })
  }

  /** One synchronous step: nobody can find the actor any more, and nobody it took is left without an answer. */
  fail(cause: Cause.Cause<SendError>): Effect.Effect<void> {
    return Effect.sync(() => {
      const { actor, mailbox, memory } = this
      const { context, streamId } = memory
      context.failed(actor)
      // Nobody can say that commands on their way to the event store are undone.
      if (this.isStoring) mailbox.answerPending(Exit.fail(new OutcomeUnknown({ retryAfter: 1 })))
      mailbox.take(Infinity)
      const isStopping = Cause.hasInterrupts(cause)
      const isCommandLost = [...mailbox.pending].some(({ command }) => command !== undefined)
      if (!isStopping && isCommandLost && Cause.hasDies(cause)) context.crashed(streamId)
      mailbox.answerPending(isStopping ? Exit.fail(new Draining({ retryAfter: 1 })) : Exit.failCause(cause))
    })
  }

  #inSpan(drain: Effect.Effect<void>, envelopes: ReadonlyArray<Envelope<State, Command, Event, Rejection>>) {
    const [parent, ...others] = envelopes.flatMap(({ span }) => span ?? [])
    // Reads have no span, and a drain of nothing but reads has none either.
    if (parent === undefined) return drain
    return Span.within("AggregateActor.drain", () => ({
      captureStackTrace: false,
      parent,
      links: others.map((span) => ({ span, attributes: {} })),
      attributes: { streamId: this.memory.streamId, commands: envelopes.length }
    }))(drain)
  }

  /** Decides what is pending, on the newest state, and answers it as far as the event store confirms. */
  #attempt(): Effect.Effect<void> {
    const { mailbox, memory } = this
    const decide = memory.needsRefresh
      ? Effect.flatMap(orUnknown(memory.refresh()), () => this.#decide())
      : this.#decide()
    return Effect.catch(decide, (error) => {
      this.isStoring = false
      if (error._tag === "OutcomeUnknown") memory.fallBehind()
      mailbox.answerPending(Exit.fail(error))
      return Effect.void
    })
  }

  #decide(): Effect.Effect<void, SendError> {
    const { mailbox, memory } = this
    const { aggregate, context, streamId } = memory
    const { clock, store } = context
    const now = MonotonicClock.millisUnsafe(clock)
    mailbox.answerExpired(now, memory.version)
    if (mailbox.pending.size === 0) return Effect.void
    const decided = decideAll(aggregate, streamId, memory, mailbox.pending)
    if (decided.some(({ _tag }) => _tag === "Append")) {
      this.isStoring = true
      return Effect.flatMap(append(store, decided, now), (outcomes) => {
        this.isStoring = false
        return this.#answerConfirmed(decided, outcomes)
      })
    }
    if (store.soleWriter && memory.phase._tag !== "Fresh") return this.#answerConfirmed(decided, [])
    // An answer that appends nothing is right only if the state was still the newest one after the decision.
    return Effect.flatMap(store.currentVersion(streamId), (version) => {
      if (version === memory.version) return this.#answerConfirmed(decided, [])
      this.#loseRace(version)
      return this.#pauseIfLost
    })
  }

  /** Answers up to the first command that the event store did not confirm; the rest stays pending. */
  #answerConfirmed(
    decisions: ReadonlyArray<Decided<State, Command, Event, Rejection>>,
    outcomes: ReadonlyArray<Outcome>
  ): Effect.Effect<void> {
    const { mailbox, memory } = this
    const { confirmed, lost } = reconcile(decisions, outcomes)
    const later: Array<Effect.Effect<void>> = []
    for (const decision of confirmed) {
      const { envelope } = decision
      switch (decision._tag) {
        case "Append":
          memory.advance(decision.events, decision.stored)
          memory.context.metrics.appended(decision.entry)
          mailbox.answer(envelope, this.#accepted(envelope, decision.events))
          break
        case "Unchanged":
          if (envelope.guards === undefined) mailbox.answer(envelope, this.#accepted(envelope, []))
          else later.push(this.#answerIfHeld(envelope, envelope.guards, this.#accepted(envelope, [])))
          break
        case "Refuse":
          if (envelope.guards === undefined) mailbox.answer(envelope, Exit.fail(decision.error))
          else later.push(this.#answerIfHeld(envelope, envelope.guards, Exit.fail(decision.error)))
          break
        case "Defect":
          later.push(this.#crash(envelope, decision.defect))
      }
    }
    if (lost.length > 0) later.push(...lost.map((one) => this.#answerLost(one)), this.#pauseIfLost)
    return later.length === 0 ? Effect.void : Effect.all(later, { discard: true })
  }

  /** Answers a command that appends nothing, once the log has said that its guards hold. */
  #answerIfHeld(
    envelope: Envelope<State, Command, Event, Rejection>,
    guards: ReadonlyArray<Guard>,
    exit: CommandExit<State, Event, Rejection>
  ): Effect.Effect<void> {
    return Effect.match(findMoved(this.memory.context.store, guards), {
      onFailure: (error) => this.mailbox.answer(envelope, Exit.fail(error)),
      onSuccess: (moved) => this.mailbox.answer(envelope, moved === undefined ? exit : Exit.fail(moved))
    })
  }

  #accepted(envelope: Envelope<State, Command, Event, Rejection>, events: ReadonlyArray<Event>) {
    const { eventId, position, state, version } = this.memory
    const { commandId } = envelope.metadata
    return Exit.succeed({ state, version, position, eventId, commandId, events })
  }

  /** Answers a command that the drain did not store, unless it lost a race. */
  #answerLost({ envelope, outcome }: Lost<State, Command, Event, Rejection>): Effect.Effect<void> {
    const { mailbox, memory } = this
    switch (outcome._tag) {
      case "Duplicate": {
        // Its events may be missing in memory: a twin of another process stored them, or this drain, which was sent twice.
        memory.fallBehind()
        const { position, receipt, version } = outcome
        mailbox.answer(envelope, Exit.fail(new CommandAlreadyAccepted({ version, position, receipt })))
        return Effect.void
      }
      case "Reused":
        mailbox.answer(envelope, Exit.fail(new CommandIdReused()))
        return Effect.void
      case "Refused":
        // The data of one caller can't be stored, which says nothing about the commands of others.
        return this.#crash(envelope, new Error(`The event store refused the events: ${outcome.reason}`), "caller")
      case "GuardMoved":
        // Only whoever made the command can make it anew; those behind it are decided without it.
        mailbox.answer(envelope, Exit.fail(new GuardMoved(outcome)))
        return Effect.void
      case "Conflict":
        memory.context.metrics.lost()
        this.#loseRace(outcome.version)
        return Effect.void
    }
  }

  #crash(envelope: Envelope<State, Command, Event, Rejection>, defect: unknown, cause: "rules" | "caller" = "rules") {
    const { context, streamId } = this.memory
    this.memory.spoil()
    if (cause === "rules") context.crashed(streamId)
    this.mailbox.answer(envelope, Exit.die(defect))
    return Effect.logError("A command failed by a defect.", defect).pipe(
      Effect.annotateLogs({ streamId, commandId: envelope.metadata.commandId })
    )
  }

  /** Another process was faster: what is pending is decided anew on what it has stored. */
  #loseRace(version: number): void {
    const { mailbox, memory } = this
    // The log went back: nothing that is in memory is a state of it.
    if (version < memory.version) memory.spoil()
    else memory.fallBehind()
    for (const envelope of mailbox.pending) envelope.lostRace = true
  }

  /** Waits for a moment before a command that lost a race is decided anew, so that racing processes get out of step. */
  get #pauseIfLost(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const [next] = this.mailbox.pending
      if (next?.lostRace !== true) return Effect.void
      return Effect.flatMap(Random.nextIntBetween(1, 50), (millis) => Effect.sleep(millis))
    })
  }
}
