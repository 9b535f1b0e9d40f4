/**
 * The port to the log: one order of events for everybody, without gaps.
 *
 * Every adapter keeps this: position order is commit order; versions of a stream are 1..n; the entries of one `append`
 * are judged in order, each on the versions that the accepted entries before it left behind; an entry never harms
 * another stream. The store does not decode events, retry lost races, or hold a connection between two calls.
 */
import { Context, type Duration, type Effect, type PubSub } from "effect"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { OutcomeUnknown, Overloaded } from "./EventStoreErrors.ts"
import type { StreamId } from "./StreamId.ts"

/** Says who caused an event, and by what. Ids are UUIDs; `customerId` is the owner of the order, if there is one. */
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
  /** The stored JSON, not decoded: only the owner of an event type knows its schema. */
  readonly data: unknown
}

export interface RecordedEvent extends NewEvent {
  /** Counts from 1, without gaps, in commit order, over the whole log. */
  readonly position: bigint
  readonly streamId: StreamId
  /** Counts from 1, without gaps, in the event's stream. */
  readonly version: number
  readonly metadata: EventMetadata
  /** ISO 8601 in UTC with milliseconds; never goes back within the log. */
  readonly recordedAt: string
}

/** One command's share of an append. With `events: []` it stores nothing but, if keyed, the outcome of its command. */
export interface Entry {
  readonly streamId: StreamId
  /** The version that the command was decided on; 0 means that the stream is empty. */
  readonly expected: number
  /** UUID. */
  readonly commandId: string
  /** Present if the caller sent an idempotency key: the accepted outcome is then remembered under `commandId`. */
  readonly keyed?: { readonly fingerprint: string; readonly receipt: unknown }
  readonly events: ReadonlyArray<NewEvent>
  readonly metadata: EventMetadata
}

/** A point that a stream has reached: its version, the position of its last event, and when this was recorded. */
interface StreamPoint {
  readonly version: number
  /** 0 if the stream has no event. */
  readonly position: bigint
  readonly recordedAt: string
}

/**
 * - `Accepted`: the entry is stored now; the stream is at `version` after it.
 * - `Duplicate`: the command was stored before; version, position, time and receipt are those of then.
 * - `Conflict`: the stream is at `version` and not at the expected one, or an entry before it in the same append, on the
 *   same stream, was not accepted.
 * - `Reused`: the id of a keyed command was used before, with another fingerprint.
 * - `Refused`: the data itself can't be stored (SQLSTATE class 22, 23, 54), which is a bug of the caller.
 */
export type Outcome =
  | ({ readonly _tag: "Accepted" } & StreamPoint)
  | ({ readonly _tag: "Duplicate"; readonly receipt?: unknown } & StreamPoint)
  | { readonly _tag: "Conflict"; readonly version: number }
  | { readonly _tag: "Reused" }
  | { readonly _tag: "Refused"; readonly reason: string }

/** The remembered outcome of an accepted keyed command. */
export interface StoredCommand extends StreamPoint {
  readonly commandId: string
  readonly fingerprint: string
  readonly streamId: StreamId
  readonly receipt: unknown
}

/** The most events that one page holds. */
export const maxPageSize = 500

export class EventStore extends Context.Service<
  EventStore,
  {
    /**
     * Judges `entries` in order and stores those that are accepted, in one transaction. Returns one outcome per entry, in
     * the same order. `deadline` is in epoch milliseconds; a caller that is interrupted does not stop the write.
     *
     * - `Overloaded`: the call found no room, or was not sent before its deadline. Nothing was stored; try again later.
     * - `DatabaseUnavailable`: the database was away until the deadline. Nothing was stored; try again later.
     * - `OutcomeUnknown`: the deadline passed before an answer came, so the entries may be stored. Append them again as
     *   they are (those that are stored come back as `Duplicate`), or read the streams.
     *
     * The expected version is the optimistic concurrency check of event stores (as KurrentDB's expected revision); what is
     * known by its id is not stored twice, so a resend after a lost connection is safe.
     */
    append(
      entries: ReadonlyArray<Entry>,
      deadline: number
    ): Effect.Effect<ReadonlyArray<Outcome>, Overloaded | DatabaseUnavailable | OutcomeUnknown>

    /**
     * Reads a page of one stream in version order, from version `after + 1` on: at most `limit` (≤ 500) events. An empty
     * page means that the stream ends at `after` or does not exist. `DatabaseUnavailable`: try again later.
     */
    readStream(
      streamId: StreamId,
      options: { readonly after: number; readonly limit: number }
    ): Effect.Effect<ReadonlyArray<RecordedEvent>, DatabaseUnavailable>

    /**
     * Reads a page of the whole log in position order, from position `after + 1` on: at most `limit` (≤ 500) events, fewer
     * where they are large, but at least two if there are two. Only an empty page says that nothing follows.
     * `DatabaseUnavailable`: try again later.
     */
    readAll(options: {
      readonly after: bigint
      readonly limit: number
    }): Effect.Effect<ReadonlyArray<RecordedEvent>, DatabaseUnavailable>

    /**
     * Reads the committed version of a stream, 0 if it is empty. The answer is never older than the call; concurrent calls
     * share one statement. `DatabaseUnavailable`: the version is not known; try again later.
     */
    currentVersion(streamId: StreamId): Effect.Effect<number, DatabaseUnavailable>

    /**
     * Finds the outcome of a keyed command; `undefined` if the command was not accepted or is already forgotten.
     * `DatabaseUnavailable`: it is not known whether the command was accepted; try again later.
     */
    findCommand(commandId: string): Effect.Effect<StoredCommand | undefined, DatabaseUnavailable>

    /**
     * Forgets keyed commands that were accepted longer ago than `age`, at most `limit` of them, the oldest first. Returns
     * how many it forgot. `DatabaseUnavailable`: perhaps it forgot some; call it again later.
     */
    forgetCommands(age: Duration.Duration, limit: number): Effect.Effect<number, DatabaseUnavailable>

    /** Reads the log's identity (a UUID made together with the log) and its last position (0 if the log is empty). */
    readonly head: Effect.Effect<{ readonly logId: string; readonly position: bigint }, DatabaseUnavailable>

    /** Publishes a hint whenever the log may have grown. Hints are coalesced and may be lost, so readers poll as well. */
    readonly grown: PubSub.PubSub<void>

    /** Tells that no other process can append: an actor's memory then needs no comparison with the log. */
    readonly soleWriter: boolean
  }
>()("ordinal/eventstore/EventStore") {}
