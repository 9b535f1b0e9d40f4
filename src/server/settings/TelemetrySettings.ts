/**
 * The settings of the export of telemetry, under the names that OpenTelemetry gives them, and the layer that they ask for:
 * none, of which nothing is loaded, without `OTEL_EXPORTER_OTLP_ENDPOINT`.
 */
import { Duration, Effect, Layer, Redacted, Schema } from "effect"
import type { Options } from "../../telemetry/otlp/Otlp.ts"
import * as Sampler from "../../telemetry/otlp/Sampler.ts"
import { choice, integer, type Kind, setting, text, type Values } from "../SettingKinds.ts"

/** The client that sends the requests takes no password in a URL, and would repeat it in its error. */
const isEndpoint = (url: string) =>
  url === "" || (/^https?:\/\/./.test(url) && URL.canParse(url) && !/@/.test(new URL(url).href))

const endpoint: Kind<Redacted.Redacted> = {
  schema: Schema.Redacted(Schema.String.check(Schema.makeFilter(isEndpoint))),
  placeholder: "url",
  expected:
    "a URL such as http://collector:4318, without a password (OTEL_EXPORTER_OTLP_HEADERS may have one), or nothing"
}

/** Splits pairs such as `a=1,b=2`, whose values may be percent-encoded; undefined if they can't be read. */
const pairsOf = (list: string): Readonly<Record<string, string>> | undefined => {
  try {
    const pairs = list.split(",").map((pair) => /^\s*([^=\s]+)\s*=(.*)$/s.exec(pair) ?? undefined)
    if (list.trim() === "") return {}
    return Object.fromEntries(
      pairs.map((pair) => [decodeURIComponent(pair![1]!), decodeURIComponent(pair![2]!.trim())])
    )
  } catch {
    return undefined
  }
}

const isHeaders = (list: string) => {
  const pairs = pairsOf(list)
  try {
    return pairs !== undefined && [...new Headers(pairs)].length === Object.keys(pairs).length
  } catch {
    return false
  }
}

const headers: Kind<Redacted.Redacted> = {
  schema: Schema.Redacted(Schema.String.check(Schema.makeFilter(isHeaders))),
  placeholder: "pairs",
  expected: "headers such as authorization=Bearer%20…, separated by commas"
}

const attributes: Kind<string> = {
  schema: Schema.String.check(Schema.makeFilter((list: string) => pairsOf(list) !== undefined)),
  placeholder: "pairs",
  expected: "pairs such as deployment.environment.name=production, separated by commas"
}

const ratio: Kind<number> = {
  schema: Schema.NumberFromString.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
  placeholder: "number",
  expected: "a number from 0 to 1"
}

const exporter = choice("otlp", "none")

export const telemetrySettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: setting(
    Redacted.make(""),
    endpoint,
    "the OpenTelemetry collector that traces, metrics and logs are sent to; none without it"
  ),
  OTEL_EXPORTER_OTLP_HEADERS: setting(Redacted.make(""), headers, "headers of each request to the collector"),
  OTEL_EXPORTER_OTLP_PROTOCOL: setting(
    "http/protobuf",
    choice("http/protobuf", "http/json"),
    "how telemetry is written"
  ),
  OTEL_EXPORTER_OTLP_TIMEOUT: setting(
    10_000,
    integer(1, 600_000),
    "milliseconds that the collector has to answer a request"
  ),
  OTEL_SERVICE_NAME: setting(
    "ordinal",
    text("name", "a name of at most 200 characters", /^[^\p{Cc}]{1,200}$/u),
    "the name of this program in telemetry"
  ),
  OTEL_RESOURCE_ATTRIBUTES: setting("", attributes, "what else telemetry says of this process"),
  OTEL_TRACES_SAMPLER: setting(
    "parentbased_always_on",
    { ...choice(...Sampler.names), placeholder: "sampler" },
    "which traces are recorded; with parentbased_ the caller decides, if it says so"
  ),
  OTEL_TRACES_SAMPLER_ARG: setting(1, ratio, "the part of all traces that is recorded by traceidratio"),
  OTEL_TRACES_EXPORTER: setting("otlp", exporter, "none to send no traces"),
  OTEL_METRICS_EXPORTER: setting("otlp", exporter, "none to send no metrics"),
  OTEL_LOGS_EXPORTER: setting("otlp", exporter, "none to send no log lines"),
  OTEL_BSP_SCHEDULE_DELAY: setting(
    5_000,
    integer(1, 600_000),
    "milliseconds that spans wait for others to be sent with"
  ),
  OTEL_METRIC_EXPORT_INTERVAL: setting(60_000, integer(100, 3_600_000), "milliseconds between two reports of metrics")
} satisfies Record<string, unknown>

export type TelemetrySettings = Values<typeof telemetrySettings>

const options = (settings: TelemetrySettings): Options => ({
  endpoint: Redacted.value(settings.OTEL_EXPORTER_OTLP_ENDPOINT),
  headers: pairsOf(Redacted.value(settings.OTEL_EXPORTER_OTLP_HEADERS)) ?? {},
  protocol: settings.OTEL_EXPORTER_OTLP_PROTOCOL,
  timeout: Duration.millis(settings.OTEL_EXPORTER_OTLP_TIMEOUT),
  serviceName: settings.OTEL_SERVICE_NAME,
  resource: pairsOf(settings.OTEL_RESOURCE_ATTRIBUTES) ?? {},
  sampler: settings.OTEL_TRACES_SAMPLER,
  ratio: settings.OTEL_TRACES_SAMPLER_ARG,
  traces: settings.OTEL_TRACES_EXPORTER === "otlp",
  metrics: settings.OTEL_METRICS_EXPORTER === "otlp",
  logs: settings.OTEL_LOGS_EXPORTER === "otlp",
  tracesEvery: Duration.millis(settings.OTEL_BSP_SCHEDULE_DELAY),
  metricsEvery: Duration.millis(settings.OTEL_METRIC_EXPORT_INTERVAL)
})

/** Stands on the layer of the log, to whose lines it adds a reader. */
export const layer = (settings: TelemetrySettings) => {
  if (Redacted.value(settings.OTEL_EXPORTER_OTLP_ENDPOINT) === "") return Layer.empty
  const otlp = Effect.promise(() => import("../../telemetry/otlp/Otlp.ts"))
  return Layer.unwrap(Effect.map(otlp, ({ layer }) => layer(options(settings))))
}
