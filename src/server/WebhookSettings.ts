/** The settings of webhooks, and the layer that delivers as they say. */
import { Duration, Layer } from "effect"
import * as StoredWebhooks from "../webhooks/StoredWebhooks.ts"
import { defaults, WebhookOptions } from "../webhooks/WebhookOptions.ts"
import { boolean, duration, integer, listed, networks, setting, type Values } from "./SettingKinds.ts"

export const webhookSettings = {
  WEBHOOKS_ALLOWED_NETWORKS: setting("", networks, "addresses that webhooks may call although they are not public"),
  WEBHOOKS_ALLOW_HTTP: setting(defaults.allowHttp, boolean, "let URLs of webhooks begin with http:"),
  WEBHOOKS_ENDPOINTS: setting(defaults.endpoints, integer(1, 1_000), "endpoints that there may be"),
  WEBHOOKS_IN_FLIGHT: setting(defaults.inFlight, integer(1, 1_000), "requests to one endpoint at the same time"),
  WEBHOOKS_QUEUE: setting(defaults.queue, integer(1, 100_000), "events of one endpoint that wait outside of the log"),
  WEBHOOKS_TIMEOUT: setting(defaults.timeout, duration("10 millis", "5 minutes"), "how long a request may take"),
  WEBHOOKS_RETRY_AFTER: setting(
    defaults.firstPause,
    duration("1 milli", "1 day"),
    "how long after its first failure a delivery is tried again; twice as long each further time"
  ),
  WEBHOOKS_RETRY_AT_MOST: setting(
    defaults.longestPause,
    duration("1 milli", "1 day"),
    "longest time between two tries"
  ),
  WEBHOOKS_RETRY_FOR: setting(
    defaults.retryFor,
    duration("0 millis"),
    "how long an event is tried that fails while others get through, before it is given up"
  ),
  WEBHOOKS_DISABLE_AFTER: setting(
    defaults.disableAfter,
    duration("1 milli"),
    "how long everything may fail before an endpoint is disabled"
  ),
  WEBHOOKS_SECRET_OVERLAP: setting(
    defaults.secretOverlap,
    duration("0 millis"),
    "how long a secret signs beside the one in its place"
  ),
  WEBHOOKS_RETENTION: setting(defaults.retention, duration("1 minute"), "how long deliveries are listed"),
  WEBHOOKS_RETAINED: setting(defaults.retained, integer(0, 100_000_000), "deliveries to one endpoint that are listed")
} satisfies Record<string, unknown>

export type WebhookSettings = Values<typeof webhookSettings>

/** Delivers to endpoints, and lets operators manage them. */
export const layer = (settings: WebhookSettings) =>
  StoredWebhooks.layer.pipe(
    Layer.provide(
      Layer.succeed(WebhookOptions, {
        ...defaults,
        allowedNetworks: listed(settings.WEBHOOKS_ALLOWED_NETWORKS),
        allowHttp: settings.WEBHOOKS_ALLOW_HTTP,
        endpoints: settings.WEBHOOKS_ENDPOINTS,
        inFlight: settings.WEBHOOKS_IN_FLIGHT,
        queue: settings.WEBHOOKS_QUEUE,
        timeout: settings.WEBHOOKS_TIMEOUT,
        firstPause: settings.WEBHOOKS_RETRY_AFTER,
        longestPause: settings.WEBHOOKS_RETRY_AT_MOST,
        awayPause: Duration.min(defaults.awayPause, settings.WEBHOOKS_RETRY_AT_MOST),
        retryFor: settings.WEBHOOKS_RETRY_FOR,
        disableAfter: settings.WEBHOOKS_DISABLE_AFTER,
        secretOverlap: settings.WEBHOOKS_SECRET_OVERLAP,
        retention: settings.WEBHOOKS_RETENTION,
        retained: settings.WEBHOOKS_RETAINED
      })
    )
  )
