/** A command (or a read) on its way through a mailbox, and the one place where its answer goes. */
import { Deferred, Exit } from "effect"
import type { EventMetadata } from "../eventlog/RecordedEvent.ts"
import type { SendError } from "./SendError.ts"

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

/** `undefined`: no precondition. A number: the stream's version must be just that. "exists" / "absent": it must (not) have events. */
export type Precondition = number | "exists" | "absent" | undefined

export interface Envelope<State, Command, Event, Rejection> {
  /** Absent = a strong read: answers the state and stores nothing. */
  readonly command?: { readonly value: Command }
  readonly precondition: Precondition
  readonly metadata: EventMetadata
  /** Epoch milliseconds. */
  readonly deadline: number
  readonly reply: Deferred.Deferred<Accepted<State, Event>, Rejection | SendError>
  /** True once the command lost a race: past its deadline it is then a conflict, not an overload. */
  lostRace: boolean
}

export type Answer<State, Event, Rejection> = Exit.Exit<Accepted<State, Event>, Rejection | SendError>
