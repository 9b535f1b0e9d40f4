import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Duration, Effect } from "effect"
import * as AggregateLimits from "../../../src/aggregate/AggregateLimits.ts"
import * as Sampler from "../../../src/telemetry/otlp/Sampler.ts"
import * as UnbuiltSettings from "../../../src/server/UnbuiltSettings.ts"
import * as Settings from "../../../src/server/Settings.ts"

const load = (given: Record<string, string>) =>
  Effect.provide(Settings.load, ConfigProvider.layer(ConfigProvider.fromUnknown(given, Settings.emptyToo)))

const shown = (given: Record<string, string>) => Effect.map(load(given), ({ shown }) => shown)

const databaseUrl = (url: string) =>
  Effect.map(shown({ DATABASE_URL: url }), (all) => all.find(({ name }) => name === "DATABASE_URL")?.value)

describe("a setting", () => {
  it.effect("has its default unless it is given, as text of its kind", () =>
    Effect.gen(function* () {
      const { isGiven, settings } = yield* load({ PORT: "4000", IDLE: "90 seconds", AUTO_CONFIRM: "false" })
      assert.isTrue(isGiven("PORT"))
      assert.isFalse(isGiven("ADMIN_PORT"))
      assert.deepInclude(settings, { PORT: 4000, ADMIN_PORT: 3001, AUTO_CONFIRM: false, SHIP_REQUIRES: "confirmed" })
      assert.deepStrictEqual(settings.IDLE, Duration.seconds(90))
      assert.deepStrictEqual(settings.COMMAND_DEADLINE, AggregateLimits.defaults.commandDeadline)
    })
  )

  it.effect("that is secret is hidden, and shown as nothing where it is nothing", () =>
    Effect.gen(function* () {
      const secretOf = (given: Record<string, string>) =>
        Effect.map(shown(given), (all) => all.find(({ name }) => name === "JWT_SECRET")?.value)
      assert.strictEqual(yield* secretOf({ JWT_SECRET: "x".repeat(32) }), "***")
      assert.strictEqual(yield* secretOf({ JWT_SECRET: "" }), "")
      assert.strictEqual(yield* secretOf({}), "")
      const local = [
        "https://issuer.example/keys",
        "http://localhost:8080/keys",
        "http://[::1]/keys",
        "http://127.0.0.1"
      ]
      for (const JWKS_URL of local) assert.deepInclude((yield* load({ JWKS_URL })).settings, { JWKS_URL })
    })
  )

  it.effect("that is set to nothing is nothing, or has its default where nothing is no value", () =>
    Effect.gen(function* () {
      const { isGiven, settings } = yield* load({ KAFKA_TOPIC: "", PORT: "", DATABASE_URL: "", IDLE: "" })
      assert.isTrue(isGiven("KAFKA_TOPIC"))
      assert.isFalse(isGiven("PORT"))
      assert.deepInclude(settings, { KAFKA_TOPIC: "", PORT: 3000, IDLE: AggregateLimits.defaults.idle })
    })
  )

  const keysUrl = "an https URL such as https://issuer.example/jwks.json, or an http one of this machine, or nothing"
  const refused: ReadonlyArray<readonly [name: Settings.SettingName, text: string, expected: string]> = [
    ["PORT", "1.5", "a whole number from 0 to 65535"],
    ["PORT", "99999", "a whole number from 0 to 65535"],
    ["ADMIN_PORT", "-1", "a whole number from 0 to 65535"],
    ["MAILBOX", "0", "a whole number from 1 to 1000000"],
    ["LEASE", "5 seconds", "a duration (a number and a unit) from 1 second to 4 seconds"],
    ["LEASE", "900 millis", "a duration (a number and a unit) from 1 second to 4 seconds"],
    ["IDLE", "5", "a duration (a number and a unit) of at least 1 milli"],
    ["DRAIN", "501", "a whole number from 1 to 500"],
    ["SHUTDOWN", "1", "a duration (a number and a unit) of at least 1 second"],
    ["IDLE", "Infinity", "a duration (a number and a unit) of at least 1 milli"],
    ["IDEMPOTENCY_RETENTION", "23 hours", "a duration (a number and a unit) of at least 24 hours"],
    ["AUTO_CONFIRM", "perhaps", "true or false"],
    ["TRUSTED_PROXIES", "10.0.0.0/33", "addresses or networks such as 10.0.0.0/8, separated by commas"],
    ["ALLOWED_HOSTS", "shop.example:80", "host names such as shop.example, separated by commas"],
    [
      "DATABASE_SCHEMA",
      "Shop",
      "a name of at most 40 lower-case letters, digits and _, not public, information_schema or pg_…, and no digit first"
    ],
    ["ROLE", "reader", "all, or some of command, query and projector, separated by commas"],
    ["ROLE", "all,query", "all, or some of command, query and projector, separated by commas"],
    ["QUERY_URL", "orders.internal", "a URL such as http://orders.internal:3000 without a user, or nothing"],
    ["COMMAND_URL", "http://a:b@orders", "a URL such as http://orders.internal:3000 without a user, or nothing"],
    ["WEBHOOKS_ALLOWED_NETWORKS", "intranet", "addresses or networks such as 10.0.0.0/8, separated by commas"],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "one of http/protobuf, http/json"],
    ["OTEL_TRACES_SAMPLER", "xray", `one of ${Sampler.names.join(", ")}`],
    ["OTEL_TRACES_SAMPLER_ARG", "1.5", "a number from 0 to 1"],
    [
      "OTEL_RESOURCE_ATTRIBUTES",
      "production",
      "pairs such as deployment.environment.name=production, separated by commas"
    ],
    ["WEBHOOKS_TIMEOUT", "6 minutes", "a duration (a number and a unit) from 10 millis to 5 minutes"],
    ["WEBHOOKS_IN_FLIGHT", "0", "a whole number from 1 to 1000"],
    ["KAFKA_BOOTSTRAP", "kafka", "addresses such as kafka1:9092,kafka2:9092"],
    ["KAFKA_TOPIC", "or ders", "a name of 1 to 200 letters, digits, dots, hyphens and underscores, or nothing"],
    ["KAFKA_PARTITIONS", "0", "a whole number from 1 to 10000"],
    ["KAFKA_SASL", "plain", "one of none, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512"],
    ["DATABASE_REPLICA_WAIT", "11 seconds", "a duration (a number and a unit) from 1 milli to 10 seconds"],
    ["JWKS_URL", "http://issuer.example/keys", keysUrl],
    ["JWKS_URL", "http://127.0.0.1@issuer.example/keys", keysUrl],
    ["CACHE_TTL", "0 seconds", "a duration (a number and a unit) from 1 second to 24 hours"],
    ["POOL_REPLICA", "0", "a whole number from 1 to 100"],
    ["LOG_LEVEL", "trace", "one of debug, info, warning, error"]
  ]
  it.effect.each(refused)("is refused with a sentence that says what it must be: %s=%s", ([name, text, expected]) =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(load({ [name]: text }))
      assert.strictEqual(message, `The setting ${name} is "${text}" but must be ${expected}.`)
    })
  )

  it.effect.each(["collector:4318", "http://user:secret@collector:4318"])(
    "that names a collector is refused without being repeated: %s",
    (url) =>
      Effect.gen(function* () {
        const { message } = yield* Effect.flip(load({ OTEL_EXPORTER_OTLP_ENDPOINT: url }))
        assert.match(message, /^The setting OTEL_EXPORTER_OTLP_ENDPOINT must be a URL such as .+, or nothing\.$/)
        assert.notInclude(message, "secret@")
      })
  )

  it.effect.each(["yes", "localhost:6379", "redis://host/orders", "redis://host/1/2"])(
    "that may hold a password is refused without being repeated: CACHE=%s",
    (text) =>
      Effect.gen(function* () {
        yield* load({ CACHE: "rediss://user:secret@host:6379/0" })
        const { message } = yield* Effect.flip(load({ CACHE: text }))
        assert.match(message, /^The setting CACHE must be redis:\/\/user:password@host:6379\/0, .+ or nothing\.$/)
      })
  )
})

describe("a variable that a later version reads", () => {
  it.effect.each(UnbuiltSettings.names)("is refused rather than ignored: %s", (name) =>
    Effect.gen(function* () {
      const { message } = yield* Effect.flip(load({ [name]: "x://y" }))
      assert.match(
        message,
        new RegExp(`^The environment variable ${name} is set, but .+\\. Unset it to start without\\.$`)
      )
    })
  )

  it.effect("is fine if it is empty or asks for what is done anyway, and every other variable is ignored", () =>
    Effect.gen(function* () {
      const empty = Object.fromEntries(UnbuiltSettings.names.map((name) => [name, ""]))
      yield* load({
        ...empty,
        JWT: "x",
        NONSENSE: "1"
      })
    })
  )
})

describe("the settings as operators see them", () => {
  it.effect("are all there, with their values, and say which are given", () =>
    Effect.gen(function* () {
      const all = yield* shown({ PORT: "4000", AUTO_CONFIRM: "true" })
      assert.deepStrictEqual(
        all.map(({ name }) => name),
        Object.keys(Settings.settings)
      )
      const given = all.filter(({ isDefault }) => !isDefault)
      assert.deepStrictEqual(
        given.map(({ name, value }) => [name, value]),
        [
          ["PORT", "4000"],
          ["AUTO_CONFIRM", "true"]
        ]
      )
      for (const { meaning } of all) assert.isNotEmpty(meaning)
    })
  )

  const urls: ReadonlyArray<readonly [given: string, shown: string]> = [
    ["pglite:.data", "pglite:.data"],
    ["pglite:memory", "pglite:memory"],
    ["postgres://me@host:5432/orders", "postgres://me@host:5432/orders"],
    ["postgres://me:secret@host:5432/orders", "postgres://me:***@host:5432/orders"],
    ["postgresql://me:secr%40et@host/orders?sslmode=require", "postgresql://me:***@host/orders?sslmode=***"],
    ["postgres://host/orders?user=me&password=secret&password=secret", "postgres://host/orders?user=***&password=***"],
    ["postgres://me:secret@@host/orders", "postgres://me:***@host/orders"],
    ["postgres://me:secret@ho st/orders#secret", "***"],
    ["postgres://host/orders#secret", "***"],
    ["postgres://me:12/secret@host/orders", "***"],
    ["postgres://me:12?secret@host/orders", "***"],
    ["postgres://me:12#secret@host/orders", "***"]
  ]
  for (const [given, expected] of urls) {
    it.effect(`shows no password of ${given}`, () =>
      Effect.gen(function* () {
        const value = (yield* databaseUrl(given)) ?? ""
        assert.strictEqual(value, expected)
        assert.notInclude(value, "secr")
      })
    )
  }
})
