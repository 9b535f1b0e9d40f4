/** Holds the errors of operators' requests about webhooks, which the admin port answers. */
import { Schema } from "effect"

export class UnknownWebhook extends Schema.TaggedError<UnknownWebhook>()(
  "UnknownWebhook",
  { id: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `There is no webhook ${this.id}.`
  }
}

export class UnknownDelivery extends Schema.TaggedError<UnknownDelivery>()(
  "UnknownDelivery",
  { id: Schema.String, eventId: Schema.String },
  { httpApiStatus: 404 }
) {
  override get message() {
    return `The log of webhook ${this.id} has no delivery of event ${this.eventId}; replay from a position before it.`
  }
}

/** The URL can't be called, or it names an address that may not be called. */
export class WebhookUrlRefused extends Schema.TaggedError<WebhookUrlRefused>()(
  "WebhookUrlRefused",
  { url: Schema.String, problem: Schema.String },
  { httpApiStatus: 422 }
) {
  override get message() {
    return `The URL ${this.url} is refused: ${this.problem}.`
  }
}

export class TooManyWebhooks extends Schema.TaggedError<TooManyWebhooks>()(
  "TooManyWebhooks",
  { limit: Schema.Int },
  { httpApiStatus: 409 }
) {
  override get message() {
    return `There are ${this.limit} webhooks already, which is the limit; delete one, or raise WEBHOOKS_ENDPOINTS.`
  }
}
