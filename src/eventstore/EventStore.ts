/**
 * The port to the log, which gives all events one order, without gaps, for everybody.
 *
 * Every adapter keeps this: position order is commit order; the versions of a stream are 1..n; the entries of one
 * `append` are judged in order; an entry never harms another stream, and is not stored if it was decided on an entry
 * that was not. The store does not decode events, retry lost races, or hold a connection between two calls.
 */
import { type Array as Arr, Context, type Duration, type Effect, type PubSub, type Scope } from "effect"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { OutcomeUnknown, Overloaded } from "./EventStoreErrors.ts"
import type { StreamId } from "./StreamId.ts"

/**
 * Says who caused an event, and by what. Ids are UUIDs; `customerId` is the stream's owner, if there is one: stored metadata
 * has had this name for it since owners were customers alone.
 */
export interface EventMetadata {
  readonly commandId: string
  readonly correlationId: string
  readonly causationId: string
  readonly actor?: string
  readonly customerId?: string
  readonly traceparent?: string
}

export interface NewEvent {
  /** The id is a UUIDv7, unique in the whole log. */
  readonly eventId: string
  readonly type: string
  readonly schemaVersion: number
  /** The data is JSON that nobody has decoded: only the owner of an event type knows its schema. */
  readonly data: unknown
}

export interface RecordedEvent extends NewEvent {
  /** The position counts from 1, without gaps, in commit order, over the whole log. */
  readonly position: bigint
  readonly streamId: StreamId
  /** The version counts from 1, without gaps, in the event's stream. */
  readonly version: number
  readonly metadata: EventMetadata
  /** The time is ISO 8601 in UTC with milliseconds, and never goes back within the log. */
  readonly recordedAt: string
}

/**
 * A stream that an entry depends on without writing it, at the version that its command was decided with; 0 means that
 * the stream does not exist. It is compared at the commit, as `expected` is, so a rule over several streams holds there:
 * as the append conditions of dynamic consistency boundaries (dcb.events) and the multi-stream checks of Marten and
 * KurrentDB do. A question before the append could not promise that.
 */
export interface Guard {
  readonly streamId: StreamId
  readonly version: number
}

/** An entry is one command's share of an append. Without events it stores at most the outcome of a keyed command. */
export interface Entry {
  readonly streamId: StreamId
  /** This is the version that the command was decided on; 0 means that the stream is empty. */
  readonly expected: number
  /** The id is a UUID. */
  readonly commandId: string
  /**
   * If the caller sent an idempotency key, this is present and the accepted outcome is remembered under `commandId`: for
   * as long as `forgetCommands` leaves it, and at least until the time that the receipt has as `keepUntil`, in seconds
   * since 1970.
   */
  readonly keyed?: { readonly fingerprint: string; readonly receipt: unknown }
  readonly events: ReadonlyArray<NewEvent>
  readonly metadata: EventMetadata
  /**
   * Each of these streams must be at its version, or nothing of the entry is stored. They are compared with what earlier
   * entries of the same append left; a guard of the entry's own stream means its version before the entry.
   */
  readonly guards?: ReadonlyArray<Guard>
}

/** Says how far a stream was: its version, the position of its last event, and when this was recorded. */
interface StreamPoint {
  readonly version: number
  /** The position is 0 if the stream has no event. */
  readonly position: bigint
  readonly recordedAt: string
}

/**
 * Says what became of one entry of an append.
 *
 * - `Accepted`: the entry is stored now; the stream is at `version` after it.
 * - `Duplicate`: the command was stored before; version, position, time and receipt are those of then.
 * - `Conflict`: the stream is at `version` and not at the expected one, or an entry before it in the same append, on
 *   the same stream, was not accepted.
 * - `GuardMoved`: the entry's stream is at the expected version, but a guarded one is at `version` now. Nothing of the
 *   entry is stored; its command is to be made anew with what that stream says.
 * - `Reused`: the id of a keyed command was used before, with another fingerprint.
 * - `Refused`: the data itself can't be stored (SQLSTATE class 22, 23, 54), which is a bug of the caller.
 */
export type Outcome =
  | ({ readonly _tag: "Accepted" } & StreamPoint)
  | ({ readonly _tag: "Duplicate"; readonly receipt?: unknown } & StreamPoint)
  | { readonly _tag: "Conflict"; readonly version: number }
  | { readonly _tag: "GuardMoved"; readonly streamId: StreamId; readonly version: number }
  | { readonly _tag: "Reused" }
  | { readonly _tag: "Refused"; readonly reason: string }

/** Says what is remembered of an accepted keyed command. */
export interface StoredCommand extends StreamPoint {
  readonly commandId: string
  readonly fingerprint: string
  readonly streamId: StreamId
  readonly receipt: unknown
}

/** A page holds at most this many events. */
export const maxPageSize = 500

/** A page of one stream, in version order. */
export interface StreamPage {
  readonly events: ReadonlyArray<RecordedEvent>
  /** True if the stream had more events behind these when it was read. */
  readonly hasMore: boolean
}

export class EventStore extends Context.Service<
  EventStore,
  {
    /**
     * Judges `entries` in order and stores those that are accepted, in one transaction. Returns one outcome per entry,
     * in the same order, within `timeout` milliseconds. A caller that is interrupted does not stop the write.
     *
     * - `Overloaded`: the call found no room, or was not sent in time. Nothing was stored; try again later.
     * - `DatabaseUnavailable`: the database was away all the time. Nothing was stored; try again later.
     * - `OutcomeUnknown`: the time was over before an answer came, so the entries may be stored. Append them again as
     *   they are (those that are stored come back as `Duplicate`), or read the streams.
     *
     * The expected version is the optimistic concurrency check of event stores (as KurrentDB's expected revision). What
     * is stored already is not stored twice, so a resend after a lost connection is safe: a keyed command is known by its
     * id, an unkeyed entry by its first event, where that would be in its stream. Guards do not count for either.
     */
    append(
      entries: ReadonlyArray<Entry>,
      timeout: number
    ): Effect.Effect<ReadonlyArray<Outcome>, Overloaded | DatabaseUnavailable | OutcomeUnknown>

    /**
     * Tells whether the calling fiber is inside an open transaction of this store's database, which no append can be part
     * of. A store without it has no transactions that a caller could be in.
     */
    readonly inTransaction?: Effect.Effect<boolean>

    /**
     * Reads a page of one stream in version order, from version `after + 1` on: at most `limit` (≤ 500) events, and fewer
     * if they are large; go on while it `hasMore`. An empty page means that the stream ends at `after` or does not exist.
     * `DatabaseUnavailable` means that the caller should try again later.
     */
    readStream(
      streamId: StreamId,
      options: { readonly after: number; readonly limit: number }
    ): Effect.Effect<StreamPage, DatabaseUnavailable>

    /**
     * Reads a page of the whole log in position order, from position `after + 1` on: at most `limit` (≤ 500) events,
     * fewer where they are large, but at least two if there are two. Only an empty page says that nothing follows.
     * `DatabaseUnavailable` means that the caller should try again later.
     */
    readAll(options: {
      readonly after: bigint
      readonly limit: number
    }): Effect.Effect<ReadonlyArray<RecordedEvent>, DatabaseUnavailable>

    /**
     * Reads the committed version of a stream, 0 if it is empty. The answer is never older than the call; concurrent
     * calls share one statement. `DatabaseUnavailable` means that the version is not known; try again later.
     */
    currentVersion(streamId: StreamId): Effect.Effect<number, DatabaseUnavailable>

    /**
     * Finds the outcome of a keyed command. `undefined` means that the command was not accepted or is already
     * forgotten; `DatabaseUnavailable`, that this is not known: try again later.
     */
    findCommand(commandId: string): Effect.Effect<StoredCommand | undefined, DatabaseUnavailable>

    /**
     * Forgets keyed commands that were accepted longer ago than `age`, at most `limit` of them, the oldest first, but
     * none before the `keepUntil` of its receipt.
     * Returns how many it forgot. `DatabaseUnavailable` means that it may have forgotten some; call it again later.
     */
    forgetCommands(age: Duration.Duration, limit: number): Effect.Effect<number, DatabaseUnavailable>

    /** Reads the log's identity (a UUID made together with the log) and its last position (0 if the log is empty). */
    readonly head: Effect.Effect<{ readonly logId: string; readonly position: bigint }, DatabaseUnavailable>

    /** Fails if the log can't be read and appended to now: it tries both, and takes its event back before anybody sees it. */
    readonly writable: Effect.Effect<void, DatabaseUnavailable>

    /**
     * Publishes a hint whenever the log may have grown, unless all that is new was handed to a listener. Hints may be
     * merged or lost, so readers poll as well.
     */
    readonly grown: PubSub.PubSub<void>

    /**
     * Hands the listener what this process appends, until the scope closes: the accepted events as they are stored, in
     * one synchronous step with the append's answer. Answers of concurrent appends may come in another order than their
     * positions. A store without it publishes a hint for these events as well. `bytes` is about their size. `session`
     * grows with each new connection in place of a lost one, behind which there may be another log.
     */
    onAppended?(
      listener: (events: Arr.NonEmptyReadonlyArray<RecordedEvent>, bytes: number, session: number) => void
    ): Effect.Effect<void, never, Scope.Scope>

    /** Tells that no other process can append: an actor's memory then needs no comparison with the log. */
    readonly soleWriter: boolean
  }
>()("ordinal/eventstore/EventStore") {}
