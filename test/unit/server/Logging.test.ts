import { assert, it } from "@effect/vitest"
import { Cause, Effect } from "effect"
import { TestConsole } from "effect/testing"
import * as Logging from "../../../src/server/Logging.ts"

it.effect("a JSON line's message is a text, whatever was logged", () =>
  Effect.gen(function* () {
    yield* Effect.gen(function* () {
      yield* Effect.logInfo("paused", { projection: "order-view", position: 5n })
      yield* Effect.logInfo("one", "two", 3)
      yield* Effect.logInfo({ alone: true })
      yield* Effect.logInfo(new Error("an error"))
      yield* Effect.logWarning("failed", Cause.fail("why"))
      yield* Effect.logInfo()
    }).pipe(
      Effect.annotateLogs({ node: "a" }),
      Effect.provide(Logging.layer({ LOG_FORMAT: "json", LOG_LEVEL: "info" }))
    )
    const lines = (yield* TestConsole.logLines).map((line) => JSON.parse(String(line)))
    assert.lengthOf(lines, 6)
    for (const { message } of lines) assert.isString(message)
    assert.strictEqual(lines[0].message, "paused")
    assert.include(lines[0].annotations, { node: "a", projection: "order-view" })
    assert.strictEqual(lines[1].message, "one two 3")
    assert.include(lines[3].message, "an error")
    assert.include(lines[4].cause, "why")
  }).pipe(Effect.provide(TestConsole.layer))
)
