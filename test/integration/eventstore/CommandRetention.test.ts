import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Layer } from "effect"
import { SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import { Database } from "../../../src/database/Database.ts"
import * as CommandRetention from "../../../src/eventstore/CommandRetention.ts"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../src/eventstore/MemoryEventStore.ts"
import * as StreamId from "../../../src/eventstore/StreamId.ts"
import { freshLogLayer } from "../../../harness/views/LogLayer.ts"

const acceptKept = Effect.fnUntraced(function* (keepUntil?: number) {
  const log = yield* EventStore
  const commandId = SecureRandom.uuidV7Unsafe()
  const streamId = StreamId.make("thing", commandId)
  const metadata = { commandId, correlationId: commandId, causationId: commandId }
  const keyed = { fingerprint: "f", receipt: { commandId, ...(keepUntil === undefined ? {} : { keepUntil }) } }
  yield* log.append([{ streamId, expected: 0, commandId, keyed, events: [], metadata }], Infinity)
  return commandId
})

const accept = acceptKept()

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

  it.live("keeps a command until its receipt's time, also from an older program, on PostgreSQL", () =>
    Effect.gen(function* () {
      const log = yield* EventStore
      const { projections: sql } = yield* Database
      const now = Math.floor((yield* Clock.currentTimeMillis) / 1000)
      const [kept, over, plain] = [yield* acceptKept(now + 3600), yield* acceptKept(now - 10), yield* accept]
      const left = Effect.map(Effect.forEach([kept, over, plain], log.findCommand), (found) =>
        found.map((command) => command !== undefined)
      )
      // An older program deletes whatever is old enough.
      yield* sql`DELETE FROM ordinal.commands WHERE command_id IN (${kept}, ${plain})`
      assert.deepStrictEqual(yield* left, [true, true, false])
      yield* accept
      let forgotten = 0
      while (forgotten < 2) forgotten += yield* log.forgetCommands(Duration.zero, 500)
      assert.strictEqual(forgotten, 2)
      assert.deepStrictEqual(yield* left, [true, false, false])
    }).pipe(Effect.provide(freshLogLayer()))
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
