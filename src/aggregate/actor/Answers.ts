/**
 * Answers the commands that an actor has decided, as far as the event store confirms them, and moves the actor's state
 * forward on what is stored. What lost a race stays in the mailbox, to be decided anew. `AggregateActor` calls this.
 */
import { Effect, Exit, Random } from "effect"
import type { Guard, Outcome } from "../../eventstore/EventStore.ts"
import { CommandIdReused, GuardMoved } from "../CommandErrors.ts"
import type { ActorState } from "./ActorState.ts"
import { type Decided, findMoved, type Lost, reconcile } from "./Drain.ts"
import { CommandAlreadyAccepted, type CommandExit, type Envelope, type Mailbox } from "./Envelope.ts"

export class Answers<State, Command, Event, Rejection> {
  readonly memory: ActorState<State, Command, Event, Rejection>
  readonly mailbox: Mailbox<State, Command, Event, Rejection>

  constructor(
    memory: ActorState<State, Command, Event, Rejection>,
    mailbox: Mailbox<State, Command, Event, Rejection>
  ) {
    this.memory = memory
    this.mailbox = mailbox
  }

  /** Answers up to the first command that the event store did not confirm; the rest stays pending. */
  answerConfirmed(
    decisions: ReadonlyArray<Decided<State, Command, Event, Rejection>>,
    outcomes: ReadonlyArray<Outcome>
  ): Effect.Effect<void> {
    const { mailbox, memory } = this
    const { confirmed, lost } = reconcile(decisions, outcomes)
    const held: Array<Effect.Effect<void>> = []
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
          else held.push(this.#answerIfHeld(envelope, envelope.guards, this.#accepted(envelope, [])))
          break
        case "Refuse":
          if (envelope.guards === undefined) mailbox.answer(envelope, Exit.fail(decision.error))
          else held.push(this.#answerIfHeld(envelope, envelope.guards, Exit.fail(decision.error)))
          break
        case "Defect":
          later.push(this.#crash(envelope, decision.defect))
      }
    }
    // All of them ask the log by one question.
    if (held.length > 0) later.unshift(Effect.all(held, { concurrency: "unbounded", discard: true }))
    if (lost.length > 0) later.push(...lost.map((one) => this.#answerLost(one)), this.pauseIfLost)
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
        return this.#answerMoved(envelope, new GuardMoved(outcome))
      case "Conflict":
        memory.context.metrics.lost()
        this.loseRace(outcome.version)
        return Effect.void
    }
  }

  /**
   * Answers the commands whose guard has moved, which whoever made them makes anew: the one that was refused, and those
   * behind it, which would be refused as well, one append after the other. The rest is decided without them.
   */
  #answerMoved(refused: Envelope<State, Command, Event, Rejection>, moved: GuardMoved): Effect.Effect<void> {
    const isMoved = ({ streamId, version }: Guard) => streamId === moved.streamId && version < moved.version
    return Effect.sync(() => {
      for (const envelope of this.mailbox.pending) {
        const isLost = envelope === refused || envelope.guards?.some(isMoved) === true
        if (isLost) this.mailbox.answer(envelope, Exit.fail(moved))
      }
    })
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
  loseRace(version: number): void {
    const { mailbox, memory } = this
    // The log went back: nothing that is in memory is a state of it.
    if (version < memory.version) memory.spoil()
    else memory.fallBehind()
    for (const envelope of mailbox.pending) envelope.lostRace = true
  }

  /** Waits for a moment before a command that lost a race is decided anew, so that racing processes get out of step. */
  get pauseIfLost(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const [next] = this.mailbox.pending
      if (next?.lostRace !== true) return Effect.void
      return Effect.flatMap(Random.nextIntBetween(1, 50), (millis) => Effect.sleep(millis))
    })
  }
}
