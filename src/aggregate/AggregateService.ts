/**
 * An aggregate as a service: what callers do with it, in process or remotely, and the port that hosts it. `Aggregate.Service`
 * makes the service of a definition; `AggregateHost` is provided by the layers of `EventSourcing`, or by a remote client.
 */
import { Context, type Effect, type Result, type Schema, type Stream } from "effect"
import type { Guard, RecordedEvent } from "../eventstore/EventStore.ts"
import type { Precondition } from "./actor/Envelope.ts"
import type { GuardMoved, IdempotencyError, SendError, Unavailable } from "./CommandErrors.ts"
import type { Upcasters } from "./EventCodec.ts"
import type { Guarded } from "./idempotency/Guarded.ts"
import type { InvalidRequest } from "./InvalidRequest.ts"

type Tagged = { readonly _tag: string }
type Codec<A, I = unknown> = Schema.Codec<A, I>

/** Is in the compiler's message if `decide` rejects and the definition names no rejection. */
export interface NoRejection {
  readonly "name the error class in the definition, as `rejection`": never
}

/** `decide` may reject a command with these. */
export type Rejected<Rejection extends Codec<unknown>> = [Rejection] extends [Schema.Never]
  ? NoRejection
  : Rejection["Type"]

/** Defines an aggregate: the schemas of all that it is made of, and its pure rules. */
export interface Definition<
  Id extends Codec<string, string>,
  State extends Codec<unknown>,
  Command extends Codec<Tagged, Tagged>,
  Event extends Codec<Tagged, Tagged>,
  Rejection extends Codec<unknown>
> {
  /** The id of one aggregate within its category: 1 to 200 characters. */
  readonly id: Id
  /** A tagged union. Commands are checked by it in process as over HTTP. */
  readonly command: Command
  /** A tagged union of plain data: the storage format. Never edit a case that has shipped; see `upcasters`. */
  readonly event: Event
  readonly state: State
  /** The errors that `decide` can answer; none if it is left out. */
  readonly rejection?: Rejection
  readonly initial: State["Type"]
  /**
   * Decides a command: its events, none if there is nothing to do, or a rejection. It is pure and synchronous, and never
   * throws: ids come with the command, times with the events.
   */
  readonly decide: (
    command: Command["Type"],
    state: State["Type"]
  ) => Result.Result<ReadonlyArray<Event["Type"]>, Rejected<Rejection>>
  /** Folds an event into the state. It is total on every event that `decide` makes. `recordedAt` is ISO 8601, in UTC. */
  readonly evolve: (state: State["Type"], event: Event["Type"], recordedAt: string) => State["Type"]
  /** For events that were once stored in another shape: `Upcaster.since(V1).now(…)` by their tags. */
  readonly upcasters?: Upcasters<Event["Encoded"]>
  /**
   * Saves the state after so many events, for streams that grow long. Raise `foldVersion` when `evolve` makes another state
   * of the same events: older snapshots are then ignored.
   */
  readonly snapshot?: { readonly every: number; readonly foldVersion: number }
  /**
   * Stores events without the checks of their schema: for rules that repeat in an event what was stored before, perhaps under
   * other bounds. An amount that is not a number is then stored as null.
   */
  readonly uncheckedEvents?: boolean
  /** Whose data the stream holds. It is kept with every event. */
  readonly owner?: (state: State["Type"]) => string | undefined
}

/** Options of one command. */
export interface CommandOptions {
  /**
   * Makes the command take effect at most once, however often it is sent with this key by this `actor`, for as long as keys
   * are kept (`CommandRetention`; 48 h by default). A repeat gets the answer of the first. 1 to 255 printable ASCII
   * characters.
   */
  readonly idempotencyKey?: string
  /** Stores nothing unless the stream is at this version (0: it has no events). Otherwise fails with `VersionMismatch`. */
  readonly ifVersion?: Precondition
  /** The sender, who is kept with the events. */
  readonly actor?: string
  /** A UUID, for all that belongs together; made if it is left out. */
  readonly correlationId?: string
  /** A UUID, of what caused the command; the command's own id if it is left out. */
  readonly causationId?: string
  /** The W3C trace context of the sender. */
  readonly traceparent?: string
}

export interface SendOptions extends CommandOptions {
  /**
   * Other streams that the command was made from, each at the version that was read: `Limits.guard(id, version)`. Nothing is
   * stored unless all of them are still at these versions at the commit. Otherwise fails with `GuardMoved`.
   */
  readonly guards?: ReadonlyArray<Guard>
}

/** A state, and how far the stream is. */
export interface Current<State> {
  readonly state: State
  /** The number of the stream's events; 0 if it has none. */
  readonly version: number
  /** A read of a projection that is given this consistency token contains all of the state. */
  readonly token: string
}

/** The answer to an accepted command, the same for the first time and for each repeat under its idempotency key. */
export interface Answer<State, Event> extends Current<State> {
  /** The command led to these events; none if there was nothing to do. */
  readonly events: ReadonlyArray<Event>
  readonly commandId: string
  /** True if the command had been accepted before under its idempotency key. */
  readonly replayed: boolean
}

/** An event as it is stored, decoded, with all that the log knows of it. */
export interface Stored<Event> extends Pick<
  RecordedEvent,
  "eventId" | "position" | "streamId" | "version" | "recordedAt" | "metadata"
> {
  readonly event: Event
}

/** Commands fail with these besides the aggregate's own rejections. */
export type CommandFailure = SendError | IdempotencyError

/** The service of an aggregate, in this process or remote. */
export interface AggregateService<Id, State, Command, Event, Rejection> {
  /**
   * Decides and durably stores one command.
   *
   * Fails with the aggregate's own rejection, or with
   * - `InvalidRequest` if the id, the command or an option is not valid: correct it;
   * - a conflict: `VersionMismatch` or `GuardMoved` (read again and decide anew), `ConcurrencyConflict` (send it again),
   *   `CommandIdReused` (the key was used for another command), `CommandInProgress` (the same one is still running);
   * - one of `Unavailable`: send it again after `retryAfter` seconds. Only after `OutcomeUnknown` may it be stored: send it
   *   again with the same idempotency key, or read the state first.
   */
  send(
    id: Id,
    command: Command,
    options?: SendOptions
  ): Effect.Effect<Answer<State, Event>, Rejection | CommandFailure | GuardMoved>

  /**
   * Sends a command that is made from what other streams hold: `make` reads them, and answers the command with its guards.
   * If one of them has moved at the commit, nothing is stored and `make` is run again, until the command deadline; then this
   * fails with `ConcurrencyConflict`, which names the stream. With an idempotency key, `request` tells a repeat from another
   * request under the same key. Fails otherwise as `send` does, or as `make` does.
   */
  sendGuarded<E = never>(
    id: Id,
    make: Effect.Effect<Guarded<Command>, E>,
    options?: CommandOptions & { readonly request?: Schema.Json }
  ): Effect.Effect<Answer<State, Event>, E | Rejection | CommandFailure>

  /**
   * Reads the newest committed state; the initial one at version 0 if there are no events. The answer is linearizable: it
   * holds every command that was answered before the call. Fails with `InvalidRequest` or one of `Unavailable`.
   */
  get(id: Id): Effect.Effect<Current<State>, InvalidRequest | Unavailable>

  /** Reads the stream's events from version `after + 1` on, up to its present end. Fails as `get` does. */
  events(id: Id, options?: { readonly after?: number }): Stream.Stream<Stored<Event>, InvalidRequest | Unavailable>
}

/** The service of a definition. */
export type ServiceOf<
  Id extends Codec<string, string>,
  State extends Codec<unknown>,
  Command extends Codec<Tagged, Tagged>,
  Event extends Codec<Tagged, Tagged>,
  Rejection extends Codec<unknown>
> = AggregateService<Id["Type"], State["Type"], Command["Type"], Event["Type"], Rejection["Type"]>

/** Hosts aggregates: makes the service of a category's definition. */
export class AggregateHost extends Context.Service<
  AggregateHost,
  {
    host<
      Id extends Codec<string, string>,
      State extends Codec<unknown>,
      Command extends Codec<Tagged, Tagged>,
      Event extends Codec<Tagged, Tagged>,
      Rejection extends Codec<unknown>
    >(
      category: string,
      definition: Definition<Id, State, Command, Event, Rejection>
    ): ServiceOf<Id, State, Command, Event, Rejection>
  }
>()("ordinal/aggregate/AggregateHost") {}
