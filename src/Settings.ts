/** Every setting of the server: an environment variable, or a flag of the same name (`--port` for `PORT`), which wins. */
import { Config, type Duration, Effect, Option } from "effect"
import { InvalidSetting, duration, durationOfAtLeast, oneOf, type Setting, text, whole, yesNo } from "./Setting.ts"

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
  POOL_APPEND: pool(2, "PostgreSQL connections for writing the log"),
  POOL_PROJECTIONS: pool(4, "PostgreSQL connections for writing views"),
  POOL_READS: pool(4, "PostgreSQL connections for reading")
} satisfies Record<string, Setting<string> | Setting<number> | Setting<boolean> | Setting<Duration.Duration>>

export type SettingName = keyof typeof settings

export type Settings = {
  readonly [Name in SettingName]: (typeof settings)[Name] extends Setting<infer A> ? A : never
}

const read = Effect.fnUntraced(function* <A>(name: string, setting: Setting<A>) {
  const given = yield* Config.option(Config.String(name))
  const written = Option.getOrElse(given, () => setting.fallback)
  const parsed = setting.parse(written)
  if (Option.isSome(parsed)) return parsed.value
  const value = setting.secret === true ? "" : ` is "${written}" but`
  return yield* new InvalidSetting({ problem: `the setting ${name}${value} must be ${setting.expected}` })
})

/** All settings, or the sentence about the first wrong one. */
export const load: Effect.Effect<Settings, InvalidSetting> = Effect.gen(function* () {
  const loaded: Record<string, unknown> = {}
  for (const [name, setting] of Object.entries(settings)) {
    loaded[name] = yield* read<unknown>(name, setting)
  }
  // Each name was read by its own setting.
  return loaded as Settings
}).pipe(Effect.catchTag("ConfigError", (error) => new InvalidSetting({ problem: error.message })))
