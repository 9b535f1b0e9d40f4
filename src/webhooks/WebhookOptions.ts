/** Webhooks have these options, each with its default. The settings `WEBHOOKS_…` of the server set them. */
import { Context, Duration } from "effect"

export interface WebhookOptions {
  /** The categories of the streams whose events are delivered. */
  readonly categories: ReadonlyArray<string>
  /** There may be so many endpoints. */
  readonly endpoints: number
  /** At most so many requests to one endpoint are under way, each for another order. */
  readonly inFlight: number
  /** So many events of one endpoint may wait for their turn or for another try; the others stay in the log. */
  readonly queue: number
  /** At most so many events are added to it at once. */
  readonly batch: number
  /** A request may take so long, from the look-up of the name to the end of the answer. */
  readonly timeout: Duration.Duration
  /** After the first failure there is such a pause; it doubles with each further one, */
  readonly firstPause: Duration.Duration
  /** up to this one. */
  readonly longestPause: Duration.Duration
  /** While an endpoint is away altogether, one request is tried at least so often. */
  readonly awayPause: Duration.Duration
  /** An event that fails for so long, while others get through, is given up, and later ones of its order go on. */
  readonly retryFor: Duration.Duration
  /** An endpoint for which every delivery fails for so long is disabled. */
  readonly disableAfter: Duration.Duration
  /** After a rotation, the secret before it signs for so long as well. */
  readonly secretOverlap: Duration.Duration
  /** What was delivered or given up is kept in the log of deliveries for so long, */
  readonly retention: Duration.Duration
  /** and at most so much of it for each endpoint. */
  readonly retained: number
  /** URLs may begin with `http:`. */
  readonly allowHttp: boolean
  /** Addresses or networks (`10.0.0.0/8`) that may be called although they are not public. */
  readonly allowedNetworks: ReadonlyArray<string>
}

export const defaults: WebhookOptions = {
  categories: ["order"],
  endpoints: 50,
  inFlight: 8,
  queue: 1_000,
  batch: 200,
  timeout: Duration.seconds(15),
  firstPause: Duration.seconds(5),
  longestPause: Duration.hours(1),
  awayPause: Duration.seconds(30),
  retryFor: Duration.days(3),
  disableAfter: Duration.days(5),
  secretOverlap: Duration.hours(24),
  retention: Duration.days(7),
  retained: 100_000,
  allowHttp: false,
  allowedNetworks: []
}

export const WebhookOptions = Context.Reference<WebhookOptions>("ordinal/webhooks/WebhookOptions", {
  defaultValue: () => defaults
})
