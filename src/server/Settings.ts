/** Every setting of the server: an environment variable, or a flag of the same name (`--port` for `PORT`), which wins. */
import { Config, type Duration, Effect, Option } from "effect"
import {
  InvalidSetting,
  duration,
  durationBetween,
  durationOfAtLeast,
  oneOf,
  type Setting,
  text,
  whole,
  yesNo
} from "./Setting.ts"

const count = (fallback: number, description: string) => whole(1, 1_000_000, fallback, description)
const pool = (fallback: number, description: string) => whole(1, 100, fallback, description)

export const settings = {
  DATABASE_URL: {
    ...text(
      "pglite:.data",
      "where orders are kept",
      "postgres://user:password@host:5432/name, pglite:<directory> or pglite:memory",
      /^(postgres(ql)?:\/\/|pglite:).+$/
    ),
    secret: true
  },
  HOST: text("127.0.0.1", "address to listen on", "an address or a host name", /^[A-Za-z0-9.:_-]+$/),
  PORT: whole(0, 65535, 3000, "port to listen on; 0 takes a free one"),
  ADMIN_HOST: text("127.0.0.1", "address for operators", "an address or a host name", /^[A-Za-z0-9.:_-]+$/),
  ADMIN_PORT: whole(0, 65535, 3001, "port for operators: metrics, projections; another one if the default is in use"),
  ALLOW_UNAUTHENTICATED: yesNo(
    false,
    "listen on other addresses than loopback although there is no authentication yet"
  ),
  ALLOWED_ORIGINS: text(
    "",
    "other origins whose pages may open a WebSocket",
    "origins such as https://shop.example, separated by commas",
    /^(https?:\/\/[^\s,/]+(,https?:\/\/[^\s,/]+)*)?$/
  ),
  ALLOW_PGLITE_IN_PRODUCTION: yesNo(false, "use the embedded database although NODE_ENV is production"),
  AUTO_CONFIRM: yesNo(true, "confirm an order as it is placed, unless the caller says otherwise"),
  SHIP_REQUIRES: oneOf(
    ["confirmed", "authorized", "captured"],
    "confirmed",
    "what an order needs before it is shipped"
  ),
  LOG_LEVEL: oneOf(["debug", "info", "warning", "error"], "info", "least severe log line to print"),
  LOG_FORMAT: oneOf(["pretty", "json"], "pretty", "how log lines look"),
  MAILBOX: count(256, "commands that may wait for one order"),
  DRAIN: whole(1, 500, 64, "commands of one order that are stored together at most"),
  IN_FLIGHT: count(4096, "commands without an answer in the whole process"),
  ACTIVATIONS: whole(1, 10_000, 64, "orders that are loaded at the same time"),
  RESIDENTS: whole(1, 10_000_000, 50_000, "orders kept in memory"),
  IDLE: duration("5 minutes", "how long an order stays in memory unused"),
  COMMAND_DEADLINE: duration("5 seconds", "how long a command may take before it is given up"),
  IDEMPOTENCY_RETENTION: durationOfAtLeast("24 hours", "48 hours", "how long the answer to an Idempotency-Key is kept"),
  SHUTDOWN: durationOfAtLeast("1 second", "20 seconds", "how long a shutdown waits for open commands"),
  STREAM_CONNECTIONS: count(2000, "event streams open at the same time"),
  HEARTBEAT: durationOfAtLeast("100 millis", "15 seconds", "how often an event stream says that it is alive"),
  LEASE: durationBetween("1 second", "4 seconds", "3 seconds", "how long views wait for a process that went away"),
  AUDIT_EVERY: durationOfAtLeast("1 second", "30 seconds", "how often some view rows are compared with the log"),
  AUDIT_STREAMS: whole(0, 1_000, 20, "how many rows each time; 0 for none"),
  REBUILD_RATE: whole(0, 1_000_000, 0, "events per second of a rebuild; 0 for as many as it can"),
  POOL_APPEND: pool(2, "PostgreSQL connections for writing the log"),
  POOL_PROJECTIONS: pool(4, "PostgreSQL connections for writing views"),
  POOL_READS: pool(4, "PostgreSQL connections for reading")
} satisfies Record<string, Setting<string> | Setting<number> | Setting<boolean> | Setting<Duration.Duration>>

export type SettingName = keyof typeof settings

export type Settings = {
  readonly [Name in SettingName]: (typeof settings)[Name] extends Setting<infer A> ? A : never
}

export interface Written {
  readonly name: string
  readonly setting: Setting<unknown>
  /** As somebody gave it, or its default. */
  readonly text: string
  readonly given: boolean
}

/** All settings as they are written. */
export const written: Effect.Effect<ReadonlyArray<Written>, InvalidSetting> = Effect.forEach(
  Object.entries<Setting<unknown>>(settings),
  ([name, setting]) =>
    Effect.map(Config.option(Config.String(name)), (given): Written => ({
      name,
      setting,
      text: Option.getOrElse(given, () => setting.fallback),
      given: Option.isSome(given)
    }))
).pipe(Effect.catchTag("ConfigError", (error) => new InvalidSetting({ problem: error.message })))

const read = ({ name, setting, text }: Written) => {
  const parsed = setting.parse(text)
  if (Option.isSome(parsed)) return Effect.succeed([name, parsed.value] as const)
  const value = setting.secret === true ? "" : ` is "${text}" but`
  return Effect.fail(new InvalidSetting({ problem: `the setting ${name}${value} must be ${setting.expected}` }))
}

/** All settings, or the sentence about the first wrong one. */
export const load: Effect.Effect<Settings, InvalidSetting> = written.pipe(
  Effect.flatMap(Effect.forEach(read)),
  // Each name was read by its own setting.
  Effect.map((entries) => Object.fromEntries(entries) as Settings)
)
