/** A command (or a read) on its way through a mailbox, and the one place where its answer goes. */
import { Data, type Deferred, type Exit } from "effect"
import type { EventMetadata } from "../../eventstore/EventStore.ts"
import type { CommandIdReused, SendError } from "../CommandErrors.ts"

/** The state a command was accepted in, after its events. */
export interface Accepted<State, Event> {
  readonly state: State
  /** The stream's version after the command; unchanged if `events` is empty. */
  readonly version: number
  /** Position of the stream's last event; 0 if it has none. */
  readonly position: bigint
  readonly commandId: string
  readonly events: ReadonlyArray<Event>
}

/**
 * `undefined`: no precondition. A number: the stream's version must be just that; below 0 it never is. "exists" / "absent":
 * it must (not) have events.
 */
export type Precondition = number | "exists" | "absent" | undefined

/** A command that its caller may send again: what the log remembers of it, once it is accepted, under its id. */
export interface Keyed<State, Event> {
  readonly fingerprint: string
  /** JSON. What is known only after the append (position, time) is not part of it. */
  receipt(accepted: Omit<Accepted<State, Event>, "position">): unknown
}

/** Not an answer for callers: whoever sent a keyed command turns it into the answer that was given then. */
export class CommandAlreadyAccepted extends Data.TaggedError("CommandAlreadyAccepted")<{
  readonly version: number
  readonly position: bigint
  readonly receipt: unknown
}> {}

/** What becomes of a keyed command besides. */
export type KeyedError = CommandIdReused | CommandAlreadyAccepted

export interface Envelope<State, Command, Event, Rejection> {
  /** Absent = a strong read: answers the state and stores nothing. */
  readonly command?: { readonly value: Command }
  readonly keyed?: Keyed<State, Event>
  readonly precondition: Precondition
  readonly metadata: EventMetadata
  /** Epoch milliseconds. */
  readonly deadline: number
  readonly reply: Deferred.Deferred<Accepted<State, Event>, Rejection | SendError | KeyedError>
  /** True once the command lost a race: past its deadline it is then a conflict, not an overload. */
  lostRace: boolean
}

export type CommandExit<State, Event, Rejection> = Exit.Exit<Accepted<State, Event>, Rejection | SendError | KeyedError>
