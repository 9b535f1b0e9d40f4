import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import * as CommandRetention from "../../../src/eventstore/CommandRetention.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../src/eventstore/MemoryEventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { freshLogLayer } from "../../../harness/views/LogLayer.ts"

const accept = Effect.gen(function* () {
  const log = yield* EventStore
  const commandId = SecureRandom.uuidV7Unsafe()
  const streamId = StreamId.make("thing", commandId)
  const metadata = { commandId, correlationId: commandId, causationId: commandId }
  const keyed = { fingerprint: "f", receipt: { commandId } }
  yield* log.append([{ streamId, expected: 0, commandId, keyed, events: [], metadata }], Infinity)
  return commandId
})

describe("command retention", () => {
  it.effect("forgets a keyed command after 48 hours, not before", () =>
    Effect.gen(function* () {
      const log = yield* EventStore
      const old = yield* accept
      yield* TestClock.adjust("47 hours")
      const young = yield* accept
      yield* Layer.build(CommandRetention.layer)
      yield* TestClock.adjust("30 minutes")
      assert.isDefined(yield* log.findCommand(old))
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(yield* log.findCommand(old))
      assert.isDefined(yield* log.findCommand(young))
    }).pipe(Effect.scoped, Effect.provide(MemoryEventStore.layer()))
  )

  it.live("forgets the oldest first, in batches, on PostgreSQL", () =>
    Effect.gen(function* () {
      const log = yield* EventStore
      const commands = yield* Effect.replicateEffect(accept, 5)
      const found = Effect.forEach(commands, log.findCommand)
      const times = (yield* found).map((command) => command?.recordedAt ?? "")
      assert.strictEqual(yield* log.forgetCommands(Duration.hours(1), 500), 0)
      assert.strictEqual(yield* log.forgetCommands(Duration.zero, 3), 3)
      const left = (yield* found).flatMap((command) => (command === undefined ? [] : [command.recordedAt]))
      // The times are compared, not the ids, because some commands may have the same one.
      assert.deepStrictEqual(left, times.slice(3))
    }).pipe(Effect.provide(freshLogLayer()))
  )
})
