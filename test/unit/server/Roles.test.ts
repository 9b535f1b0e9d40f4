import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Layer } from "effect"
import * as KafkaSettings from "../../../src/server/KafkaSettings.ts"
import * as Roles from "../../../src/server/Roles.ts"
import * as Settings from "../../../src/server/Settings.ts"

const load = (given: Record<string, string>) =>
  Effect.map(
    Effect.provide(Settings.load, ConfigProvider.layer(ConfigProvider.fromUnknown(given, Settings.emptyToo))),
    ({ settings }) => settings
  )

describe("the roles of a process", () => {
  it.effect("are those that ROLE names, or all", () =>
    Effect.gen(function* () {
      const rolesOf = (ROLE: string) => Effect.map(load({ ROLE }), (settings) => [...Roles.of(settings)])
      assert.deepStrictEqual(yield* rolesOf("all"), ["command", "query", "projector"])
      assert.deepStrictEqual(yield* rolesOf("projector,query"), ["query", "projector"])
      assert.deepStrictEqual([...Roles.of(yield* load({}))], ["command", "query", "projector"])
    })
  )

  it.effect("are all of them on an embedded database", () =>
    Effect.gen(function* () {
      const check = (ROLE: string, DATABASE_URL: string) =>
        Effect.flatMap(load({ ROLE, DATABASE_URL }), (settings) => Effect.result(Roles.check(settings)))
      assert.strictEqual((yield* check("query", "postgres://me@host/orders"))._tag, "Success")
      assert.strictEqual((yield* check("all", "pglite:memory"))._tag, "Success")
      assert.strictEqual((yield* check("query,command,projector", "pglite:memory"))._tag, "Success")
      const refused = yield* check("query,command", "pglite:.data")
      assert.isTrue(
        refused._tag === "Failure" && refused.failure.message.startsWith('The setting ROLE is "query,command", but ')
      )
    })
  )

  it.effect("say who publishes to Kafka and who takes commands from it; nobody else connects", () =>
    Effect.gen(function* () {
      const connects = (role: Roles.Role, more: Record<string, string> = {}) =>
        Effect.map(
          load({ KAFKA_BOOTSTRAP: "kafka:9092", ...more }),
          (settings) => KafkaSettings.layer(settings, new Set([role])) !== Layer.empty
        )
      assert.isTrue(yield* connects("projector"))
      assert.isFalse(yield* connects("projector", { KAFKA_TOPIC: "", KAFKA_COMMANDS: "commands" }))
      assert.isTrue(yield* connects("command", { KAFKA_COMMANDS: "commands" }))
      assert.isFalse(yield* connects("command"))
      assert.isFalse(yield* connects("query", { KAFKA_COMMANDS: "commands" }))
    })
  )
})
