import { assert, it } from "@effect/vitest"
import { Effect, Logger, References } from "effect"
import { TestClock } from "effect/testing"
import * as OutageLog from "../../../src/supervision/OutageLog.ts"

it.effect("says that an outage begins and ends, not each time if it comes and goes, but always if it lasts", () => {
  const lines: Array<string> = []
  const logger = Logger.make(({ message }) => lines.push([message].flat().join(" ")))
  return Effect.gen(function* () {
    const outage = OutageLog.make("It")
    const [fails, works] = ["It fails and is tried again until it works: no", "It works again after 1 s."]
    yield* outage.works
    for (let time = 0; time < 10; time++) {
      yield* outage.failed("no")
      yield* outage.failed("no")
      yield* outage.works
      yield* TestClock.adjust("100 millis")
    }
    assert.deepStrictEqual(lines, [fails, works, fails, works])

    for (let time = 0; time < 10; time++) {
      yield* outage.failed("no")
      yield* TestClock.adjust("1 second")
    }
    yield* outage.works
    assert.deepStrictEqual(lines.slice(4), [fails, "It works again after 10 s."])
  }).pipe(Effect.provide(Logger.layer([logger])), Effect.provideService(References.MinimumLogLevel, "Info"))
})
