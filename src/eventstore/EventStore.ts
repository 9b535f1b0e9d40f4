/**
 * The log: one order of events for everybody, without gaps.
 *
 * Invariants, the same for every adapter: position order is commit order; versions of a stream are 1..n; the entries of
 * one `append` are judged in order on versions that move as the log goes; an entry never harms another stream; nothing
 * is stored that was decided on something that was not.
 *
 * It does not decode events, retry lost races, or hold a connection between two calls.
 */
import { Context, type Duration, type Effect, type PubSub } from "effect"
import type { StreamId } from "./StreamId.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { OutcomeUnknown, Overloaded } from "./EventStoreErrors.ts"

/** Who, why and after what. Ids are UUIDs; `customerId` is the owner of the order, if there is one. */
export interface EventMetadata {
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly actor?: string
  readonly customerId?: string
  readonly traceparent?: string
}

export interface NewEvent {
  /** UUIDv7, unique in the whole log. */
  readonly eventId: string
  readonly type: string
  readonly schemaVersion: number
  readonly data: unknown
}

export interface RecordedEvent extends NewEvent {
  /** From 1, without gaps, in commit order, over the whole log. */
  readonly position: bigint
  readonly streamId: StreamId
  /** From 1, without gaps, in its stream. */
  readonly version: number
  readonly metadata: EventMetadata
  /** ISO 8601 in UTC, milliseconds; never goes back within the log. */
  readonly recordedAt: string
}

/** One command's share of an append. With `events: []` it stores nothing but, if keyed, its command row. */
export interface Entry {
  readonly streamId: StreamId
  /** The version the command was decided on; 0 = the stream is empty. */
  readonly expected: number
  /** UUID. */
  readonly commandId: string
  /** Present if the caller sent an idempotency key: then the accepted outcome is remembered under `commandId`. */
  readonly keyed?: { readonly fingerprint: string; readonly receipt: unknown }
  readonly events: ReadonlyArray<NewEvent>
  readonly metadata: EventMetadata
}

/**
 * - `Accepted`: stored now. `version` is the stream's after the entry, `position` that of the stream's last event (0 if
 *   it has none).
 * - `Duplicate`: the command was stored before; version, position and receipt are those of then.
 * - `Conflict`: `version` is the stream's current one.
 * - `Reused`: a keyed command id with another fingerprint.
 * - `Refused`: the data itself can't be stored (SQLSTATE class 22, 23, 54): a bug of the caller.
 */
export type Outcome =
  | { readonly _tag: "Accepted"; readonly version: number; readonly position: bigint; readonly recordedAt: string }
  | {
      readonly _tag: "Duplicate"
      readonly version: number
      readonly position: bigint
      readonly recordedAt: string
      readonly receipt?: unknown
    }
  | { readonly _tag: "Conflict"; readonly version: number }
  | { readonly _tag: "Reused" }
  | { readonly _tag: "Refused"; readonly reason: string }

/** What is remembered of an accepted keyed command. */
export interface StoredCommand {
  readonly commandId: string
  readonly fingerprint: string
  readonly streamId: StreamId
  readonly version: number
  readonly position: bigint
  readonly receipt: unknown
  readonly recordedAt: string
}

export class EventStore extends Context.Service<
  EventStore,
  {
    /**
     * Judges and stores `entries` in order, as one unit of work: one outcome per entry, in the same order.
     *
     * `deadline` (epoch milliseconds) bounds the resending after a lost connection; past it the outcome is unknown.
     * `Overloaded` and `DatabaseUnavailable` mean that certainly nothing was stored.
     */
    append(
      entries: ReadonlyArray<Entry>,
      deadline: number
    ): Effect.Effect<ReadonlyArray<Outcome>, Overloaded | DatabaseUnavailable | OutcomeUnknown>

    /** A page of one stream in version order, from `after + 1`; at most `limit` (≤ 500) events. */
    readStream(
      streamId: StreamId,
      options: { readonly after: number; readonly limit: number }
    ): Effect.Effect<ReadonlyArray<RecordedEvent>, DatabaseUnavailable>

    /**
     * A page of the whole log in position order, from `after + 1`; at most `limit` (≤ 500) events, and where they are
     * large fewer, but not fewer than two. Only an empty page says that nothing follows.
     */
    readAll(options: {
      readonly after: bigint
      readonly limit: number
    }): Effect.Effect<ReadonlyArray<RecordedEvent>, DatabaseUnavailable>

    /**
     * The committed version of a stream, read after this call began (0 = empty). Concurrent questions share one
     * statement.
     */
    currentVersion(streamId: StreamId): Effect.Effect<number, DatabaseUnavailable>

    /** The stored outcome of a keyed command, if it was accepted and is still kept. */
    findCommand(commandId: string): Effect.Effect<StoredCommand | undefined, DatabaseUnavailable>

    /** Forgets at most `limit` keyed commands accepted longer ago than `age`, the oldest first; how many it forgot. */
    forgetCommands(age: Duration.Duration, limit: number): Effect.Effect<number, DatabaseUnavailable>

    /** The log's identity (UUID, made with the log) and its last position (0 = empty). */
    readonly head: Effect.Effect<{ readonly logId: string; readonly position: bigint }, DatabaseUnavailable>

    /** Published, coalesced, whenever the log may have grown. A hint: readers poll as well. */
    readonly grown: PubSub.PubSub<void>

    /** True if no other process can append: then an actor's memory needs no checking. */
    readonly soleWriter: boolean
  }
>()("ordinal/eventstore/EventStore") {}
