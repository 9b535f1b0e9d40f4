/**
 * Manages webhooks for operators: whom to tell of events by HTTP, what was told, and what is to be told again. Every process
 * answers for all endpoints; one at a time delivers to each. The admin port calls this; `StoredWebhooks` implements it.
 */
import { Context, type Effect } from "effect"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import type { InvalidToken } from "../projection/consistency/ConsistencyToken.ts"
import type { TooManyWebhooks, UnknownDelivery, UnknownWebhook, WebhookUrlRefused } from "./WebhookErrors.ts"
import type { Delivery, DeliveryFilter, StoredEndpoint } from "./WebhookStore.ts"

export type { Delivery, DeliveryFilter } from "./WebhookStore.ts"

/** An endpoint as operators see it: with how far it is, and without its secrets. */
export interface Webhook extends Omit<StoredEndpoint, "secret" | "previousSecret" | "pausedFor" | "start"> {
  /** The events up to this position are delivered, or wait in the queue. */
  readonly position: bigint
  /** So many events of the log are behind that position, those included that the endpoint is not told of. */
  readonly behind: number
  /** So many wait in the queue: for their turn, or for another try. */
  readonly pending: number
  /** The oldest event that is not delivered is so many seconds old. */
  readonly lag: number
}

export interface NewWebhook {
  readonly url: string
  readonly types?: ReadonlyArray<string>
  readonly description?: string
  /** "start", "end" (the default), or a consistency token. */
  readonly start?: string
}

export type WebhookChanges = Partial<Pick<NewWebhook, "url" | "types" | "description">>

type Changed<A, E = never> = Effect.Effect<A, UnknownWebhook | DatabaseUnavailable | E>

export class Webhooks extends Context.Service<
  Webhooks,
  {
    readonly list: Effect.Effect<ReadonlyArray<Webhook>, DatabaseUnavailable>
    get(id: string): Changed<Webhook>
    /** Makes an endpoint, and the secret by which it verifies what it is sent; the secret is never shown again. */
    create(
      webhook: NewWebhook
    ): Effect.Effect<
      { readonly webhook: Webhook; readonly secret: string },
      WebhookUrlRefused | TooManyWebhooks | InvalidToken | DatabaseUnavailable
    >
    change(id: string, changes: WebhookChanges): Changed<Webhook, WebhookUrlRefused>
    /** Deletes an endpoint and its log. What is under way may still arrive. */
    remove(id: string): Changed<void>
    /** Makes a new secret; the one before it signs as well for a while (`secretOverlap`). */
    rotateSecret(id: string): Changed<{ readonly webhook: Webhook; readonly secret: string }>
    /** Goes on where the endpoint stands, also after it was disabled by itself. */
    enable(id: string): Changed<Webhook>
    disable(id: string): Changed<Webhook>
    deliveries(id: string, filter: DeliveryFilter): Changed<ReadonlyArray<Delivery>>
    /** Delivers again what follows a point of the log: "start", or what a consistency token was given for. */
    replay(id: string, after: string): Changed<Webhook, InvalidToken>
    /** Delivers one event again, by its id. */
    redeliver(id: string, eventId: string): Changed<Delivery, UnknownDelivery>
  }
>()("ordinal/webhooks/Webhooks") {}
