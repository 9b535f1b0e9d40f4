/**
 * Offers what operators do about parked streams. Where one event of a stream can't be projected, the projection parks
 * that stream and goes on with all others. An operator brings the stream back, with the event after a fix (`retry`) or
 * without it (`skip`).
 *
 * Parking is recorded in the database, so it survives restarts. Operators call this through the admin port;
 * `StoredParkedStreams` implements it. The idea is the parked messages of KurrentDB's persistent subscriptions.
 */
import { Context, type Effect } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import type { ParkedElsewhere, RetryRefused, StillFailing, UnknownParkedStream } from "../ProjectionErrors.ts"

/** A stream is parked, or (`parked: false`, `degraded: true`) goes on without the events that were skipped. */
export interface ParkedStream {
  readonly id: string
  readonly projection: string
  readonly streamId: string
  /** The stream is parked at this version: its event failed, so neither it nor any later event is applied. */
  readonly version: number
  /** The event is at this position of the log. */
  readonly position: bigint
  readonly reason: string
  /** The stream was parked at this time (ISO 8601). */
  readonly parkedAt: string
  /** So many retries have failed since the stream was parked. */
  readonly retries: number
  readonly parked: boolean
  readonly degraded: boolean
  /** The events of these versions were skipped for good. */
  readonly skipped: ReadonlyArray<number>
}

type Resolved<E> = Effect.Effect<void, UnknownParkedStream | RetryRefused | StillFailing | DatabaseUnavailable | E>

export class ParkedStreams extends Context.Service<
  ParkedStreams,
  {
    /** Lists parked and degraded streams, by projection and position. `DatabaseUnavailable`: ask again later. */
    readonly list: Effect.Effect<ReadonlyArray<ParkedStream>, DatabaseUnavailable>

    /**
     * Applies the events of a parked stream that were held back, in order; then the projection follows the stream
     * again. `StillFailing` names the version whose event fails, and the reason; the events before it are applied:
     * remove the cause and retry, or skip the event. `RetryRefused` means that another version of the projection made
     * the view, so only a process of that version can retry. `UnknownParkedStream` means that no stream is parked under
     * this id any more. A retry is safe to repeat, also after `DatabaseUnavailable`.
     */
    retry(id: string): Resolved<never>

    /**
     * Drops the event that fails, for good, and applies what came after it as `retry` does; the stream is `degraded`
     * from then on. With the event's `version` it is safe to repeat: if the stream is parked at another version by now,
     * it fails with `ParkedElsewhere` and drops nothing. Without it, repeating may drop a second event.
     */
    skip(id: string, version?: number): Resolved<ParkedElsewhere>
  }
>()("ordinal/projection/parking/ParkedStreams") {}
