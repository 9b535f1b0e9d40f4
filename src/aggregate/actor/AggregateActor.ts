/**
 * An actor: the state of one stream, and while commands wait for it one bounded mailbox and one fiber.
 *
 * Commands are decided one after the other. The state moves forward only on the event store's confirmation, no reply of a
 * drain leaves before the event store has answered for the whole drain, and every envelope is answered, whatever ends the
 * fiber. The fiber starts with the first envelope, and ends in the same synchronous step in which it finds none, so there
 * is at most one. An idle actor is a record of its state and no more.
 */
import { Cause, Effect, Exit } from "effect"
import { OutcomeUnknown } from "../../eventstore/EventStoreErrors.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import * as Span from "../../telemetry/Span.ts"
import type { Aggregate } from "../Aggregate.ts"
import { Draining, type SendError } from "../CommandErrors.ts"
import { activate, orUnknown } from "./Activation.ts"
import type { ActorContext } from "./ActorContext.ts"
import { ActorState } from "./ActorState.ts"
import { Answers } from "./Answers.ts"
import { append, decideAll, type Decided } from "./Drain.ts"
import { type Envelope, Mailbox } from "./Envelope.ts"

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
    context.run(
      Effect.onExit(
        Effect.suspend(() => serving.run()),
        (exit) => (Exit.isSuccess(exit) ? Effect.void : serving.fail(exit.cause))
      )
    )
  }
}

export type AnyActor = AggregateActor<unknown, unknown, unknown, unknown>

/** The fiber of an actor runs this: it serves the mailbox from the first envelope until none waits. */
class Serving<State, Command, Event, Rejection> {
  readonly actor: AggregateActor<State, Command, Event, Rejection>
  readonly memory: ActorState<State, Command, Event, Rejection>
  readonly mailbox: Mailbox<State, Command, Event, Rejection>
  readonly answers: Answers<State, Command, Event, Rejection>
  /** True while decided commands are on their way to the event store. */
  isStoring = false
  /** True while a command is served that belongs to a trace. */
  isTraced = false

  constructor(
    actor: AggregateActor<State, Command, Event, Rejection>,
    memory: ActorState<State, Command, Event, Rejection>,
    mailbox: Mailbox<State, Command, Event, Rejection>
  ) {
    this.actor = actor
    this.memory = memory
    this.mailbox = mailbox
    this.answers = new Answers(memory, mailbox)
  }

  run(): Effect.Effect<void, SendError> {
    const { actor, mailbox, memory } = this
    if (actor.isActivated) return this.#serve()
    return Effect.flatMap(activate(memory, mailbox.waiting[0]?.span), () => {
      actor.isActivated = true
      return this.#serve()
    })
  }

  /** Serves what waits, and then what has come meanwhile, until nothing waits. */
  #serve(): Effect.Effect<void> {
    const { actor, mailbox, memory } = this
    const envelopes = mailbox.take(memory.context.limits.drain)
    if (envelopes.length === 0) {
      // There was no yield since the mailbox was found empty: whoever comes from now on starts another fiber.
      actor.mailbox = undefined
      memory.context.rested(actor)
      return Effect.void
    }
    const drain = Effect.whileLoop({
      while: () => mailbox.pending.size > 0,
      body: () => this.#attempt(),
      step: () => {}
    })
    return Effect.flatMap(this.#inSpan(drain, envelopes), () => this.#serve())
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
    // Reads have no span, and a drain of nothing but reads has none either.
    const spans = envelopes.flatMap(({ span }) => span ?? [])
    this.isTraced = spans.length > 0
    if (!this.isTraced) return drain
    return Span.joined(
      "AggregateActor.drain",
      () => spans,
      () => ({ streamId: this.memory.streamId, commands: envelopes.length })
    )(drain)
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
    const { clock } = context
    const now = MonotonicClock.millisUnsafe(clock)
    mailbox.answerExpired(now, memory.version)
    if (mailbox.pending.size === 0) return Effect.void
    const decide = () => decideAll(aggregate, streamId, memory, mailbox.pending)
    if (!this.isTraced) return this.#store(decide(), now)
    const decided = Span.within("AggregateActor.decide", () => ({ captureStackTrace: false }))(Effect.sync(decide))
    return Effect.flatMap(decided, (decided) => this.#store(decided, now))
  }

  /** Has the event store confirm what was decided at the time `now`. */
  #store(
    decided: ReadonlyArray<Decided<State, Command, Event, Rejection>>,
    now: number
  ): Effect.Effect<void, SendError> {
    const { memory } = this
    const { context, streamId } = memory
    const { store } = context
    if (decided.some(({ _tag }) => _tag === "Append")) {
      this.isStoring = true
      return Effect.flatMap(append(store, decided, now), (outcomes) => {
        this.isStoring = false
        return this.answers.answerConfirmed(decided, outcomes)
      })
    }
    if (store.soleWriter && memory.phase._tag !== "Fresh") return this.answers.answerConfirmed(decided, [])
    // An answer that appends nothing is right only if the state was still the newest one after the decision.
    return Effect.flatMap(store.currentVersion(streamId), (version) => {
      if (version === memory.version) return this.answers.answerConfirmed(decided, [])
      this.answers.loseRace(version)
      return this.answers.pauseIfLost
    })
  }
}
