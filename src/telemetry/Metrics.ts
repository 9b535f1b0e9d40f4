/**
 * Defines every metric that this program reports. Names and labels are part of the contract; no label names an order or
 * a customer.
 *
 * Counters and histograms are updated where things happen. Gauges are read when somebody asks for the metrics (see
 * `http/admin/PrometheusEndpoint.ts`).
 */
import { counter, gauge, histogram } from "./Instrument.ts"

const seconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** The label `route` is the path as the API defines it, or `none`. */
export const requestDuration = histogram(
  "http_server_request_duration_seconds",
  "Time from a request's headers to its answer's",
  seconds,
  ["method", "route", "status"]
)

export const commands = counter("orders_commands_total", "Commands answered, by their outcome", ["command", "outcome"])
export const commandDuration = histogram(
  "orders_command_duration_seconds",
  "Time from a command's submission to its answer",
  seconds
)
export const eventsAppended = counter("orders_events_appended_total", "Events stored by this process", ["type"])
export const appendBatchSize = histogram(
  "orders_append_batch_size",
  "Commands stored by one statement",
  [1, 2, 5, 10, 20, 50, 100, 200, 500]
)
export const appendConflicts = counter(
  "orders_append_conflicts_total",
  "Appends that lost a race against another process and were decided anew"
)
/** The label `source` is `new` (the id was made just now), `log` or `snapshot`. */
export const activations = counter("orders_activations_total", "Actors loaded, by the source of their state", [
  "source"
])
/** The label `outcome` is `reached`, `behind`, or `abandoned` if the caller went away. */
export const consistencyWait = histogram(
  "orders_consistency_wait_seconds",
  "Time that reads waited for the view to reach their token, without reads that need not wait",
  seconds,
  ["outcome"]
)
/**
 * The label `outcome` is `answered`; or why the primary had to: the replica was `behind`, `failed`, `refused` what was asked,
 * or was `away`, so that nobody asked it.
 */
export const replicaReads = counter(
  "orders_replica_reads_total",
  "Reads of the order view where a replica is named, by what the replica did",
  ["outcome"]
)
/**
 * The label `outcome` is `hit`; or why the view was read: `miss`, `stale` if the value could not be shown to be fresh enough,
 * `away` if the cache did not answer, or `blind` if the log could not be read, without which no value can be judged.
 */
export const cacheReads = counter("orders_cache_reads_total", "Reads of one order where there is a cache", ["outcome"])
export const projectionFailures = counter(
  "orders_projection_failures_total",
  "Failed attempts of a projection, after which it tries again or stops",
  ["projection"]
)

export const fiberRestarts = counter(
  "orders_fiber_restarts_total",
  "Restarts of the work that goes on in the background, each after a failure",
  ["name"]
)

/** The label `signal` is `traces`, of which spans are counted, `logs`, of which lines are, or `metrics`, of which reports are. */
export const telemetrySent = counter("orders_telemetry_sent_total", "Telemetry that the collector has taken", [
  "signal"
])
export const telemetryDropped = counter("orders_telemetry_dropped_total", "Telemetry that no collector has taken", [
  "signal"
])

export const logHead = gauge("orders_log_head_position", "Position of the last event in the log")
export const projectionPosition = gauge("orders_projection_position", "Committed checkpoint", ["projection"])
export const projectionLagEvents = gauge("orders_projection_lag_events", "Events not applied yet", ["projection"])
export const projectionLagSeconds = gauge("orders_projection_lag_seconds", "Age of the oldest event not applied yet", [
  "projection"
])
export const parkedStreams = gauge("orders_parked_streams", "Streams set aside because one of their events fails", [
  "projection"
])
export const rebuildProgress = gauge(
  "orders_rebuild_progress_ratio",
  "Share of the log that the running rebuild has worked through; 1 without a rebuild",
  ["projection"]
)
export const actorsActive = gauge("orders_actors_active", "Actors in memory")
export const actorsBytes = gauge("orders_actors_bytes", "Memory that the actors in memory take, estimated")
export const mailboxDepth = gauge("orders_mailbox_depth", "Commands waiting in mailboxes")
export const streamConnections = gauge("orders_stream_connections", "Open event streams", ["transport"])

/** These three count since the process started, and are read when somebody asks, as gauges are. */
export const streamsAudited = counter("orders_streams_audited_total", "View rows compared with the log", ["projection"])
export const driftFound = counter("orders_drift_found_total", "View rows that differ from the fold of the log", [
  "projection"
])
export const driftRepaired = counter("orders_drift_repaired_total", "View rows repaired", ["projection"])

/** The label `outcome` is `accepted`, `replayed`, `refused`, or `unreadable` if the record is no command. */
export const inboxCommands = counter("orders_inbox_commands_total", "Commands of a topic that are answered", [
  "topic",
  "outcome"
])
export const inboxLag = gauge("orders_inbox_lag", "Records of a topic of commands that are not answered yet", [
  "topic",
  "partition"
])

/** Events that a publisher has handled: sent to the broker, or found there already after a restart. */
export const eventsPublished = counter("orders_events_published_total", "Events sent to the broker and acknowledged", [
  "topic"
])
export const eventsFound = counter(
  "orders_events_found_published_total",
  "Events not sent because they were in the topic already",
  ["topic"]
)
export const eventsUnacknowledged = gauge(
  "orders_events_unacknowledged",
  "Events handed to the broker that it has not acknowledged yet",
  ["topic", "partition"]
)

/** The label `outcome` is `delivered`, `failed`, or `given-up` if there is no other try. */
export const webhookAttempts = counter("orders_webhook_attempts_total", "Requests to an endpoint of webhooks", [
  "endpoint",
  "outcome"
])
export const webhookPending = gauge("orders_webhook_pending", "Events that wait to be delivered, or for another try", [
  "endpoint"
])
export const webhookLagSeconds = gauge("orders_webhook_lag_seconds", "Age of the oldest event that is not delivered", [
  "endpoint"
])
export const webhookEnabled = gauge("orders_webhook_enabled", "1 if the endpoint is enabled, 0 if it is disabled", [
  "endpoint"
])
