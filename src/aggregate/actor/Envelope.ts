/** A command (or a read) on its way through a mailbox, and the one place where its answer goes. */
import { Data, Deferred, Exit, type Tracer } from "effect"
import type { EventMetadata, Guard } from "../../eventstore/EventStore.ts"
import { ConcurrencyConflict, Overloaded } from "../../eventstore/EventStoreErrors.ts"
import type { StreamId } from "../../eventstore/StreamId.ts"
import type { CommandIdReused, GuardMoved, SendError } from "../CommandErrors.ts"
import type { ActorContext } from "./ActorContext.ts"

/** A command was accepted and led to this state. */
export interface Accepted<State, Event> {
  readonly state: State
  /** The stream's version after the command; unchanged if `events` is empty. */
  readonly version: number
  /** Position of the stream's last event; 0 if it has none. */
  readonly position: bigint
  /** Id of the stream's last event; undefined if it has none. */
  readonly eventId: string | undefined
  readonly commandId: string
  readonly events: ReadonlyArray<Event>
}

/**
 * A number demands that the stream is at that version, and a list that it is at one of these; a negative number never
 * holds. "exists" and "absent" demand that the stream has events, or none. `undefined` demands nothing.
 */
export type Precondition = number | ReadonlyArray<number> | "exists" | "absent" | undefined

/** These come with a command. Ids are UUIDs; missing ones are made or derived. */
export interface SendOptions {
  readonly precondition?: Precondition
  /**
   * The streams that the command was made from, at most 1,000, each with the version that was read, 0 for one without
   * events. The command is stored only if all of them are still at these versions at the commit; otherwise it fails with
   * `GuardMoved`.
   */
  readonly guards?: ReadonlyArray<Guard>
  /**
   * The command is answered by this time, in milliseconds of the monotonic clock, if that is before the command deadline:
   * for a sender whose own time has begun before.
   */
  readonly deadline?: number
  /** The id was made just now by the sender, so the stream need not be read first. A wrong claim only costs time. */
  readonly fresh?: boolean
  readonly correlationId?: string
  readonly causationId?: string
  /** The sender, stamped on every event's metadata. */
  readonly actor?: string
  readonly traceparent?: string
}

/** Marks a command that its caller may send again; the event store keeps this under the command's id, once accepted. */
export interface Keyed<State, Event> {
  /** Tells the same request from another one under the same command id. */
  readonly fingerprint: string
  /** Makes the stored receipt, in JSON. Position and time are known only after the append, so they are not part of it. */
  receipt(accepted: Omit<Accepted<State, Event>, "position" | "eventId">): unknown
}

/** The keyed command was accepted before. It is no answer for callers: they get the one that `receipt` was stored for. */
export class CommandAlreadyAccepted extends Data.TaggedError("CommandAlreadyAccepted")<{
  readonly version: number
  readonly position: bigint
  readonly receipt: unknown
}> {}

/** A keyed command fails with these besides `SendError`. */
export type KeyedError = CommandIdReused | CommandAlreadyAccepted

export interface Envelope<State, Command, Event, Rejection> {
  /** Without a command this is a strong read: it answers the state and stores nothing. */
  readonly command: { readonly value: Command } | undefined
  readonly keyed: Keyed<State, Event> | undefined
  readonly precondition: Precondition
  readonly guards: ReadonlyArray<Guard> | undefined
  readonly metadata: EventMetadata
  /** The deadline is in milliseconds of the monotonic clock. */
  readonly deadline: number
  /** The span of the sender, which the span of the drain continues; a read has none, nor has anything if nobody traces. */
  readonly span: Tracer.AnySpan | undefined
  readonly reply: Deferred.Deferred<Accepted<State, Event>, Rejection | SendError | GuardMoved | KeyedError>
  /** True once the command lost a race: past its deadline it is then a conflict, not an overload. */
  lostRace: boolean
}

export type CommandExit<State, Event, Rejection> = Exit.Exit<
  Accepted<State, Event>,
  Rejection | SendError | GuardMoved | KeyedError
>

/** Holds the envelopes of an actor that have no answer yet. Only while there are some does the actor have one. */
export class Mailbox<State, Command, Event, Rejection> {
  readonly #streamId: StreamId
  readonly #answered: ActorContext["answered"]
  /** These wait to be taken, in the order in which they came. */
  readonly waiting: Array<Envelope<State, Command, Event, Rejection>> = []
  /** The actor has taken these, in the same order. */
  readonly pending = new Set<Envelope<State, Command, Event, Rejection>>()

  constructor(streamId: StreamId, answered: ActorContext["answered"]) {
    this.#streamId = streamId
    this.#answered = answered
  }

  get open(): number {
    return this.waiting.length + this.pending.size
  }

  /** Takes at most `limit` envelopes and returns them; none if none wait. */
  take(limit: number): ReadonlyArray<Envelope<State, Command, Event, Rejection>> {
    const taken = this.waiting.splice(0, limit)
    for (const envelope of taken) this.pending.add(envelope)
    return taken
  }

  answer(envelope: Envelope<State, Command, Event, Rejection>, exit: CommandExit<State, Event, Rejection>): void {
    this.pending.delete(envelope)
    this.#answered(this.#streamId, exit, envelope.command === undefined)
    // This comes last, since the caller goes on within this very call.
    Deferred.doneUnsafe(envelope.reply, exit)
  }

  /** Answers all that were taken. An answered envelope leaves `pending`, which a Set allows while it is iterated. */
  answerPending(exit: CommandExit<State, Event, Rejection>): void {
    for (const envelope of this.pending) this.answer(envelope, exit)
  }

  /** Answers the commands whose deadline has passed: they are not decided (again). */
  answerExpired(now: number, currentVersion: number): void {
    for (const envelope of this.pending) {
      if (envelope.deadline > now) continue
      const error =
        envelope.lostRace && envelope.command !== undefined
          ? new ConcurrencyConflict({ streamId: this.#streamId, currentVersion })
          : new Overloaded({ what: "the queue of this id", retryAfter: 1 })
      this.answer(envelope, Exit.fail(error))
    }
  }
}
