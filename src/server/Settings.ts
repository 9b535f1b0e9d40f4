/**
 * Lists and reads the settings of the server. Each is an environment variable, or a flag of the same name (`--port` for
 * `PORT`), which wins. It is written as text, which a schema reads; its default stands where the thing that it sets is
 * defined.
 *
 * A value that can't be read stops the start with one sentence. What may hold a password is repeated nowhere.
 */
import { Config, Effect, Option, Redacted, Schema } from "effect"
import * as AggregateLimits from "../aggregate/AggregateLimits.ts"
import { defaultPools } from "../database/DatabaseOptions.ts"
import * as SchemaName from "../database/SchemaName.ts"
import { CommandRetention } from "../eventstore/CommandRetention.ts"
import type { ShownSetting } from "../http/admin/AdminHandlers.ts"
import * as PushLimits from "../http/push/PushLimits.ts"
import { defaultPolicies } from "../order/OrderPolicies.ts"
import * as ProjectionLimits from "../projection/ProjectionLimits.ts"
import {
  boolean,
  choice,
  duration,
  integer,
  type Kind,
  networks,
  asText,
  setting,
  text,
  type Setting,
  type Values
} from "./SettingKinds.ts"
import { kafkaSettings } from "./KafkaSettings.ts"
import { listenerSettings } from "./settings/ListenerSettings.ts"
import { identitySettings } from "./settings/IdentitySettings.ts"
import { mongoSettings } from "./settings/MongoSettings.ts"
import { roleSettings } from "./Roles.ts"
import { cacheSettings } from "./settings/CacheSettings.ts"
import { replicaSettings } from "./settings/ReplicaSettings.ts"
import { telemetrySettings } from "./settings/TelemetrySettings.ts"
import * as UnbuiltSettings from "./UnbuiltSettings.ts"
import { webhookSettings } from "./WebhookSettings.ts"
import { UnusableSetting } from "./UnusableSetting.ts"

const databaseUrl: Kind<Redacted.Redacted> = {
  schema: Schema.Redacted(Schema.String.check(Schema.isPattern(/^(postgres(ql)?:\/\/|pglite:).+$/))),
  placeholder: "url",
  expected: "postgres://user:password@host:5432/name, pglite:<directory> or pglite:memory"
}
const host = text("address", "an address or a host name", /^[A-Za-z0-9.:_-]+$/)
const port = integer(0, 65535)
const count = integer(1, 1_000_000)
const pool = integer(1, 100)
const origins = text(
  "origins",
  "origins such as https://shop.example, separated by commas",
  /^(https?:\/\/[^\s,/]+(,https?:\/\/[^\s,/]+)*)?$/
)
const actors = AggregateLimits.defaults
const streams = PushLimits.defaults
const hosts = text("names", "host names such as shop.example, separated by commas", /^([^\s,/:]+(,[^\s,/:]+)*)?$/)
const views = ProjectionLimits.defaults

export const settings = {
  DATABASE_URL: setting(Redacted.make("pglite:.data"), databaseUrl, "where orders are kept"),
  DATABASE_SCHEMA: setting(
    SchemaName.defaultSchema,
    text("name", SchemaName.expected, SchemaName.pattern),
    "the schema of that database that holds all tables; several servers' schemas may be in one"
  ),
  DEMO: setting(
    "embedded",
    choice("embedded", "true", "false"),
    "fill an empty log with a few products and customers to try things with; embedded: only an embedded one"
  ),
  HOST: setting("127.0.0.1", host, "address to listen on"),
  PORT: setting(3000, port, "port to listen on; 0 takes a free one"),
  ADMIN_HOST: setting("127.0.0.1", host, "address for operators"),
  ADMIN_PORT: setting(3001, port, "port for operators: metrics, projections; another one if the default is in use"),
  ALLOW_UNAUTHENTICATED: setting(
    false,
    boolean,
    "listen on other addresses than loopback although nobody is asked who they are"
  ),
  ALLOWED_HOSTS: setting("", hosts, "names that requests may call the server by, besides localhost and addresses"),
  ALLOWED_ORIGINS: setting("", origins, "other origins whose pages may use the API (CORS) and open a WebSocket"),
  TRUSTED_PROXIES: setting("", networks, "proxies whose X-Forwarded-Host and X-Forwarded-For headers are believed"),
  ALLOW_PGLITE_IN_PRODUCTION: setting(false, boolean, "use the embedded database although NODE_ENV is production"),
  AUTO_CONFIRM: setting(
    defaultPolicies.autoConfirm,
    boolean,
    "confirm an order as it is placed, unless the caller says otherwise"
  ),
  SHIP_REQUIRES: setting(
    defaultPolicies.shipRequires,
    choice("confirmed", "authorized", "captured"),
    "what orders that are placed from now on need before they are shipped"
  ),
  LOG_LEVEL: setting("info", choice("debug", "info", "warning", "error"), "least severe log line to print"),
  LOG_FORMAT: setting("pretty", choice("pretty", "json"), "how log lines look"),
  DATABASE_VIEWS_SCHEMA: setting(
    "",
    text("name", `${SchemaName.expected}, or nothing`, new RegExp(`^$|${SchemaName.pattern.source}`)),
    "the schema of the tables of views, so that a role may own these alone; DATABASE_SCHEMA without it"
  ),
  ...roleSettings,
  ...listenerSettings,
  MAILBOX: setting(actors.mailbox, count, "commands that may wait for one order"),
  DRAIN: setting(actors.drain, integer(1, 500), "commands of one order that are stored together at most"),
  IN_FLIGHT: setting(actors.inFlight, count, "commands without an answer in the whole process"),
  ACTIVATIONS: setting(actors.concurrentActivations, integer(1, 10_000), "orders that are loaded at the same time"),
  RESIDENTS: setting(actors.residents, integer(1, 10_000_000), "orders kept in memory"),
  RESIDENT_MEGABYTES: setting(
    actors.residentBytes / 1024 ** 2,
    integer(1, 1_000_000),
    "memory for orders, in MiB; never more than an eighth of the heap's limit"
  ),
  IDLE: setting(actors.idle, duration("1 milli"), "how long an order stays in memory unused"),
  COMMAND_DEADLINE: setting(
    actors.commandDeadline,
    duration("1 milli"),
    "how long a command may take before it is given up"
  ),
  IDEMPOTENCY_RETENTION: setting(
    CommandRetention.defaultValue(),
    duration("24 hours"),
    "how long the answer to an Idempotency-Key is kept"
  ),
  SHUTDOWN: setting(actors.shutdown, duration("1 second"), "how long a shutdown waits for open commands"),
  STREAM_CONNECTIONS: setting(streams.connections, count, "event streams open at the same time"),
  HEARTBEAT: setting(streams.heartbeat, duration("100 millis"), "how often an event stream says that it is alive"),
  LEASE: setting(views.lease, duration("1 second", "4 seconds"), "how long views wait for a process that went away"),
  AUDIT_EVERY: setting(views.auditEvery, duration("1 second"), "how often some view rows are compared with the log"),
  AUDIT_STREAMS: setting(views.auditStreams, integer(0, 1_000), "how many rows each time; 0 for none"),
  REBUILD_RATE: setting(
    views.rebuildRate,
    integer(0, 1_000_000),
    "events per second of a rebuild; 0 for as many as it can"
  ),
  POOL_APPEND: setting(defaultPools.append, pool, "PostgreSQL connections for writing the log"),
  POOL_PROJECTIONS: setting(defaultPools.projections, pool, "PostgreSQL connections for writing views"),
  POOL_READS: setting(defaultPools.reads, pool, "PostgreSQL connections for reading"),
  ...replicaSettings,
  ...cacheSettings,
  ...mongoSettings,
  ...webhookSettings,
  ...kafkaSettings,
  ...telemetrySettings,
  ...identitySettings
} satisfies Record<string, unknown>

export type SettingName = keyof typeof settings

export type Settings = Values<typeof settings>

/** Masks what may be a password in a URL: before its host, and in its query. */
const withoutSecrets = (text: string): string => {
  const mask = "***"
  const url = URL.parse(text)
  // A password that should have been percent-encoded is taken for something else.
  if (url === null || (url.host !== "" && /[@#]/.test(url.pathname + url.search + url.hash))) return mask
  if (url.password !== "") url.password = mask
  for (const name of url.searchParams.keys()) url.searchParams.set(name, mask)
  return url.href
}

/** A setting may be set to nothing, which is not to be taken for a setting that is not set: a provider needs this option. */
export const emptyToo = { preserveEmptyStrings: true }

const read = Effect.fnUntraced(function* ([name, setting]: readonly [string, Setting<unknown>]) {
  const { defaultValue, expected, meaning, schema } = setting
  const isSecret = Redacted.isRedacted(defaultValue)
  const decoded = Schema.decodeUnknownOption(schema)
  // Where nothing is no value, it stands for the default, as in `PORT=`.
  const isValue = (text: string) => text !== "" || Option.isSome(decoded(isSecret ? Redacted.make(text) : text))
  const given = Option.filter(yield* Config.option(Config.String(name)), isValue)
  const asked = Option.isNone(given) ? Effect.succeed(defaultValue) : Config.schema(schema, name)
  const value = yield* Effect.mapError(asked, () => {
    const found = isSecret ? "" : ` is "${Option.getOrElse(given, () => "")}" but`
    return new UnusableSetting({ problem: `The setting ${name}${found} must be ${expected}.` })
  })
  const hidden = setting.placeholder === "url" ? withoutSecrets : () => "***"
  const written = asText(value)
  const text = isSecret && written !== "" ? hidden(written) : written
  const shown: ShownSetting = { name, value: text, isDefault: Option.isNone(given), meaning }
  return { name, value, shown }
})

/**
 * Reads every setting, as a value and as text that operators may see. Fails with a sentence about the first setting
 * that can't be read, or that a later version is going to have.
 */
export const load = UnbuiltSettings.refuse.pipe(
  Effect.andThen(Effect.forEach(Object.entries<Setting<unknown>>(settings), read)),
  Effect.catchTag("ConfigError", ({ message }) => new UnusableSetting({ problem: message })),
  Effect.map((entries) => ({
    // Each name was read by its own setting.
    settings: Object.fromEntries(entries.map(({ name, value }) => [name, value])) as Settings,
    shown: entries.map(({ shown }) => shown),
    isGiven: (name: SettingName) => entries.some(({ shown }) => shown.name === name && !shown.isDefault)
  }))
)
