/** Lists the problem types that only the operators' API answers, in the form of `Problems`. */
import { UnknownKey } from "../../identity/IdentityErrors.ts"
import * as ProjectionError from "../../projection/ProjectionErrors.ts"
import * as WebhookError from "../../webhooks/WebhookErrors.ts"
import { problem } from "./Problem.ts"

export const AdminProblems = {
  UnknownProjection: problem(ProjectionError.UnknownProjection, "projection-not-found", "Projection not found", {
    when: "There is no projection with this name.",
    remedy: "GET /admin/projections lists the names of all projections."
  }),
  UnknownRebuild: problem(ProjectionError.UnknownRebuild, "rebuild-not-found", "Rebuild not found", {
    when: "There is no rebuild with this id.",
    remedy: "GET /admin/rebuilds lists all rebuilds; the answer that started one has its id in Location."
  }),
  UnknownParkedStream: problem(
    ProjectionError.UnknownParkedStream,
    "parked-stream-not-found",
    "Parked stream not found",
    {
      when: "No stream is parked under this id; perhaps it was retried or skipped meanwhile.",
      remedy: "GET /admin/parked lists the streams that are parked."
    }
  ),
  UnknownStream: problem(ProjectionError.UnknownStream, "stream-not-found", "Stream not found", {
    when: "The projection does not read streams of this category, or this stream has neither events nor a row.",
    remedy: "Use the id of the stream with its category, such as order-ord_…"
  }),
  RewindRefused: problem(ProjectionError.RewindRefused, "rewind-refused", "Rewind refused", {
    when: "This is a projection, whose rows would get the same events twice.",
    remedy: "Rebuild the projection; only subscriptions can be rewound."
  }),
  RebuildRefused: problem(ProjectionError.RebuildRefused, "rebuild-refused", "Rebuild refused", {
    when: "A rebuild is under way, the named one has ended, or the view can't be rebuilt; `problem` says which.",
    remedy: "Wait for the rebuild that is under way or abort it; if the named one has ended, start another one."
  }),
  RepairRefused: problem(ProjectionError.RepairRefused, "repair-refused", "Repair refused", {
    when: "The stream is parked or lacks skipped events, a rebuild is under way, or the row changed after its audit.",
    remedy: "Remove the cause that `problem` describes, audit the stream again, then repair what still differs."
  }),
  AuditRefused: problem(ProjectionError.AuditRefused, "audit-refused", "Audit refused", {
    when: "The projection can't be audited, or another version of it made the view; `problem` says which.",
    remedy: "Ask a process whose version made the view, or rebuild the view."
  }),
  ParkedElsewhere: problem(ProjectionError.ParkedElsewhere, "parked-elsewhere", "Parked at another event", {
    when: "The named event was dealt with before, and the stream is parked at `version` by now; nothing was skipped.",
    remedy: "Look at the event where the stream is parked, then retry the stream or skip that event."
  }),
  RetryRefused: problem(ProjectionError.RetryRefused, "retry-refused", "Retry refused", {
    when: "Another version of the projection made the view, and only a process of that version can continue it.",
    remedy: "Send the request to such a process, or wait for the rebuild to this version."
  }),
  StillFailing: problem(ProjectionError.StillFailing, "still-failing", "Still failing", {
    when: "The event at `version` failed again, so the stream stays parked there; the events before it are applied.",
    remedy: "Remove the cause in `reason` and retry the stream, or skip the event for good."
  }),
  UnknownKey: problem(UnknownKey, "key-not-found", "API key not found", {
    when: "There is no API key with this id.",
    remedy: "GET /admin/keys lists the API keys, revoked ones included."
  }),
  UnknownWebhook: problem(WebhookError.UnknownWebhook, "webhook-not-found", "Webhook not found", {
    when: "There is no webhook with this id; perhaps it was deleted.",
    remedy: "GET /admin/webhooks lists the webhooks."
  }),
  UnknownDelivery: problem(WebhookError.UnknownDelivery, "delivery-not-found", "Delivery not found", {
    when: "The webhook was never told of this event, or that is no longer in its log.",
    remedy: "Replay from a position before the event: POST /admin/webhooks/{id}/replay."
  }),
  WebhookUrlRefused: problem(WebhookError.WebhookUrlRefused, "webhook-url-refused", "URL of a webhook refused", {
    when: "The URL is not https, holds what a request does not carry, or its host has no public address.",
    remedy: "Use a public URL with https, or allow others by WEBHOOKS_ALLOWED_NETWORKS and WEBHOOKS_ALLOW_HTTP."
  }),
  TooManyWebhooks: problem(WebhookError.TooManyWebhooks, "too-many-webhooks", "Too many webhooks", {
    when: "There are as many webhooks as the setting WEBHOOKS_ENDPOINTS allows.",
    remedy: "Delete a webhook that nobody needs, or raise the setting."
  })
}
