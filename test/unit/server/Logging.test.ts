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

it.effect.each(["json", "pretty"] as const)("a line stays one line, whatever it says: %s", (format) =>
  Effect.gen(function* () {
    const ends = "a\r\nb\nc\u2028d\u0085e\u001b[31mf"
    yield* Effect.logInfo(ends).pipe(Effect.provide(Logging.layer({ LOG_FORMAT: format, LOG_LEVEL: "info" })))
    const lines = yield* TestConsole.logLines
    assert.lengthOf(lines, 1)
    // The printer for people may colour the line, but with none of the colours that were logged.
    for (const part of ["\r", "\n", "\u2028", "\u0085", "\u001b[31m"]) assert.notInclude(String(lines[0]), part)
    assert.match(String(lines[0]), /a.*b.*c.*d.*e.*f/)
  }).pipe(Effect.provide(TestConsole.layer))
)
