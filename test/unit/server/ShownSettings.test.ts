import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import { settings } from "../../../src/server/Settings.ts"
import * as ShownSettings from "../../../src/server/ShownSettings.ts"

const shown = (given: Record<string, string>) =>
  Effect.provide(ShownSettings.make, ConfigProvider.layer(ConfigProvider.fromUnknown(given)))

const databaseUrl = (url: string) =>
  Effect.map(shown({ DATABASE_URL: url }), (all) => all.find(({ name }) => name === "DATABASE_URL")?.value)

describe("the settings as operators see them", () => {
  it.effect("are all there, with their values, and say which are given", () =>
    Effect.gen(function* () {
      const all = yield* shown({ PORT: "4000", AUTO_CONFIRM: "true" })
      assert.deepStrictEqual(
        all.map(({ name }) => name),
        Object.keys(settings)
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
