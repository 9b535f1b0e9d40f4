import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { add, Counter, counting, onMemory, registry } from "../../../harness/aggregates/Counter.ts"

describe("Aggregates", () => {
  it.effect("answers the state after the command, with version and position", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const first = yield* aggregates.send(Counter, "a", add(2))
      const other = yield* aggregates.send(Counter, "b", add(1))
      const second = yield* aggregates.send(Counter, "a", add(3))
      assert.deepStrictEqual([first.version, first.position, first.state.count], [1, 1n, 2])
      assert.deepStrictEqual([other.version, other.position], [1, 2n])
      assert.deepStrictEqual([second.version, second.position, second.state.count], [2, 3n, 5])
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("serializes the commands of one id", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const versions = yield* Effect.forEach(
        Array.from({ length: 200 }, (_, index) => index),
        () => Effect.map(aggregates.send(Counter, "a", add()), ({ version }) => version),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(
        [...versions].sort((left, right) => left - right),
        Array.from({ length: 200 }, (_, index) => index + 1)
      )
      assert.strictEqual((yield* aggregates.read(Counter, "a")).state.count, 200)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("sends what waits in a mailbox as one append", () =>
    Effect.gen(function* () {
      const { appends, layer } = yield* counting
      yield* Effect.gen(function* () {
        const aggregates = yield* Aggregates
        yield* Effect.forEach(Array.from({ length: 128 }), () => aggregates.send(Counter, "a", add()), {
          concurrency: "unbounded"
        })
      }).pipe(Effect.provide(registry().pipe(Layer.provide(layer))))
      assert.strictEqual(appends.flat().length, 128)
      assert.isAtMost(appends.length, 3)
    })
  )

  it.effect("stores nothing for a rejection and for a command that has nothing to do", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const log = yield* EventStore
      yield* aggregates.send(Counter, "a", add(5))
      const rejected = yield* Effect.flip(aggregates.send(Counter, "a", { _tag: "RefuseAt", count: 5 }))
      const unchanged = yield* aggregates.send(Counter, "a", add(0))
      assert.strictEqual(rejected._tag, "TooMuch")
      assert.deepStrictEqual([unchanged.version, unchanged.position, unchanged.events], [1, 1n, []])
      assert.strictEqual((yield* log.head).position, 1n)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("holds a command against its precondition", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* aggregates.send(Counter, "a", add(), { precondition: "absent" })
      yield* aggregates.send(Counter, "a", add(), { precondition: 1 })
      yield* aggregates.send(Counter, "a", add(), { precondition: "exists" })
      const stale = yield* Effect.flip(aggregates.send(Counter, "a", add(), { precondition: 2 }))
      const exists = yield* Effect.flip(aggregates.send(Counter, "a", add(), { precondition: "absent" }))
      const missing = yield* Effect.flip(aggregates.send(Counter, "b", add(), { precondition: "exists" }))
      assert.deepStrictEqual([stale._tag, exists._tag, missing._tag], Array(3).fill("VersionMismatch"))
      assert.strictEqual(stale._tag === "VersionMismatch" && stale.currentVersion, 3)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("stamps who and why on each event", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const log = yield* EventStore
      const accepted = yield* aggregates.send(Counter, "a", add(), { actor: "ada", correlationId: "why" })
      const [event] = yield* log.readAll({ after: 0n, limit: 1 })
      assert.deepStrictEqual(event?.metadata, {
        commandId: accepted.commandId,
        correlationId: "why",
        causationId: accepted.commandId,
        actor: "ada"
      })
    }).pipe(Effect.provide(onMemory()))
  )
})
