/**
 * The port to what is kept of webhooks: the endpoints, and for each event that one is told of a delivery, which waits for
 * its turn or for another try until it is delivered or given up. `SqlWebhookStore` keeps them beside the log, and
 * `MemoryWebhookStore` in memory.
 *
 * Every adapter keeps this: of the deliveries of one stream to one endpoint, only the first that is pending is ever due.
 */
import { Context, type Duration, type Effect } from "effect"
import type { SqlError } from "effect/sql"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { RecordedEvent } from "../eventstore/EventStore.ts"

type Sql<A> = Effect.Effect<A, SqlError.SqlError | DatabaseUnavailable>

/** An endpoint as it is kept, with its secrets. Times are ISO 8601. */
export interface StoredEndpoint {
  /** A UUIDv7. */
  readonly id: string
  readonly url: string
  /** See `EventTypes`; none means all types. */
  readonly types: ReadonlyArray<string>
  readonly description: string
  /** Its subscription begins there: "start", or a consistency token. */
  readonly start: string
  readonly isEnabled: boolean
  /** Why it was disabled. */
  readonly problem?: string
  /** Every delivery has failed since then. */
  readonly failingSince?: string
  readonly createdAt: string
  readonly changedAt: string
  readonly secret: string
  /** Signs as well, while the secret is being rotated; until `previousUntil`. */
  readonly previousSecret?: string
  readonly previousUntil?: string
  /** The receiver wants to be left alone for so many milliseconds. */
  readonly pausedFor: number
}

export interface NewEndpoint extends Pick<
  StoredEndpoint,
  "id" | "url" | "types" | "description" | "start" | "secret"
> {}

export interface EndpointChanges extends Partial<Pick<StoredEndpoint, "url" | "types" | "description" | "start">> {}

/**
 * - `pending`: it waits for its turn, or for another try.
 * - `delivered`: the receiver has answered 2xx.
 * - `failed`: it was given up after `retryFor`.
 */
export type DeliveryState = "pending" | "delivered" | "failed"

/** A line of the log of deliveries. */
export interface Delivery {
  readonly position: bigint
  readonly eventId: string
  readonly streamId: string
  readonly version: number
  /** The type of the CloudEvent. */
  readonly type: string
  readonly state: DeliveryState
  readonly attempts: number
  /** The last attempt was at this time, got this status, and failed because of this. */
  readonly attemptedAt?: string
  readonly status?: number
  readonly problem?: string
  /** There is another try at this time. */
  readonly nextAt?: string
}

/** A delivery is to be tried now. */
export interface Due {
  readonly event: RecordedEvent
  /** It has failed so often. */
  readonly attempts: number
}

export type Attempt =
  | { readonly isDelivered: true; readonly status: number }
  | {
      readonly isDelivered: false
      readonly status?: number
      readonly problem: string
      /** There is another try after this time, unless it has failed for `retryFor` while others got through. */
      readonly again: Duration.Duration
      readonly retryFor: Duration.Duration
      /** Nothing is sent to the endpoint for so long. */
      readonly pause?: Duration.Duration
    }

export interface Recorded {
  readonly state: DeliveryState
  /** Every delivery to the endpoint has failed for so many milliseconds; 0 if this one got through. */
  readonly failingFor: number
}

export interface Backlog {
  readonly id: string
  readonly pending: number
  /** The age in seconds of the oldest event that is pending; 0 if none is. */
  readonly oldest: number
}

export interface DeliveryFilter {
  readonly state?: DeliveryState
  /** Only those at lower positions. */
  readonly before?: bigint
  readonly limit: number
}

export class WebhookStore extends Context.Service<
  WebhookStore,
  {
    /** Reads the endpoints that are not deleted, in the order in which they were made. */
    readonly endpoints: Sql<ReadonlyArray<StoredEndpoint>>
    readonly backlogs: Sql<ReadonlyArray<Backlog>>
    create(endpoint: NewEndpoint): Sql<unknown>
    /** These answer false if there is no such endpoint. */
    change(id: string, changes: EndpointChanges): Sql<boolean>
    rotate(id: string, secret: string, overlap: Duration.Duration): Sql<boolean>
    /** What is pending is due at once, as if it had never been tried. */
    enable(id: string): Sql<boolean>
    disable(id: string, problem: string): Sql<boolean>
    /** Takes an endpoint off the list; `forget` then removes what is left of it, once no process can run it any more. */
    remove(id: string): Sql<boolean>
    /** Removes what is left of endpoints that were deleted so long ago: deliveries, checkpoints, parked streams. */
    forget(age: Duration.Duration): Sql<unknown>

    /** Adds deliveries of these events. What is pending already stays as it is; all else is delivered again. */
    enqueue(id: string, events: ReadonlyArray<RecordedEvent>): Sql<unknown>
    /** Counts the pending deliveries before a position, up to `most`. */
    waiting(id: string, before: bigint, most: number): Sql<number>
    /**
     * Finds at most `limit` deliveries that are to be tried now, of streams that are none of `except` and up to a position:
     * those that were never tried first, then by position. `nextIn` is after how many milliseconds the next one is due.
     * To find out whether the endpoint is back (`anyway`), one that is not yet due will do: the one not tried for longest.
     */
    due(
      id: string,
      upTo: bigint,
      except: ReadonlyArray<string>,
      limit: number,
      anyway: boolean
    ): Sql<{ readonly ready: ReadonlyArray<Due>; readonly nextIn?: number }>
    /** Records an attempt; undefined if the delivery or the endpoint is no longer there, or is not pending. */
    record(id: string, position: bigint, attempt: Attempt): Sql<Recorded | undefined>
    /** Makes all that is pending due now: the endpoint works again. */
    hurry(id: string): Sql<unknown>
    /** Removes some of the oldest that are not pending, if they are that old or there are more than `most`. */
    prune(id: string, age: Duration.Duration, most: number): Sql<unknown>

    /** Lists deliveries, those of the newest events first. */
    deliveries(id: string, filter: DeliveryFilter): Sql<ReadonlyArray<Delivery>>
    /** Makes a delivery pending again; undefined if there is none of this event. */
    redeliver(id: string, eventId: string): Sql<Delivery | undefined>
  }
>()("ordinal/webhooks/WebhookStore") {}

/** Names the subscription of an endpoint. */
export const subscriptionOf = (id: string): string => `webhook-${id}`
