import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import { LogTail } from "../../../../src/eventstore/tail/LogTail.ts"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import * as StreamId from "../../../../src/eventstore/StreamId.ts"
import { Aggregates } from "../../../../src/aggregate/Aggregates.ts"
import { type Snapshot, Snapshots } from "../../../../src/aggregate/Snapshots.ts"
import { add, Counter } from "../../../../harness/aggregates/Counter.ts"
import * as FaultyEventStore from "../../../../src/testing/FaultyEventStore.ts"

const saved = {
  ...Counter,
  snapshots: { every: 10, foldVersion: 1, schema: Schema.Struct({ count: Schema.Int, at: Schema.String }) }
} satisfies typeof Counter

/** A process on a shared log and shared snapshots; counts the events it reads of streams. */
const fixture = Effect.gen(function* () {
  const watched = FaultyEventStore.make(yield* MemoryEventStore.make())
  const kept = new Map<StreamId.StreamId, Snapshot>()
  const reads = { events: 0, snapshots: 0 }
  watched.inject({
    readStream: Effect.tap((page) =>
      Effect.sync(() => {
        reads.events += page.events.length
      })
    )
  })
  const backend = Layer.merge(
    watched.layer,
    Layer.succeed(
      Snapshots,
      Snapshots.of({
        load: (streamId) =>
          Effect.sync(() => {
            reads.snapshots += 1
            return kept.get(streamId)
          }),
        save: (streamId, snapshot) => Effect.sync(() => void kept.set(streamId, snapshot))
      })
    )
  )
  const process = <A, E>(effect: Effect.Effect<A, E, Aggregates>) =>
    Effect.suspend(() => {
      reads.events = 0
      reads.snapshots = 0
      const layer = Layer.fresh(Aggregates.layer).pipe(
        Layer.provide(Layer.fresh(LogTail.layer)),
        Layer.provide(backend)
      )
      return Effect.provide(effect, layer)
    })
  const read = process(
    Effect.gen(function* () {
      return yield* (yield* Aggregates).read(saved, "a")
    })
  )
  const addMany = (count: number, aggregate: typeof Counter = saved) =>
    process(
      Effect.gen(function* () {
        const aggregates = yield* Aggregates
        for (let index = 0; index < count; index++) yield* aggregates.send(aggregate, "a", add())
      })
    )
  return { addMany, kept, process, read, reads }
})

const stream = StreamId.make("counter", "a")

describe("snapshots", () => {
  it.effect("shorten the replay of a long stream", () =>
    Effect.gen(function* () {
      const { addMany, kept, read, reads } = yield* fixture
      yield* addMany(95)
      assert.strictEqual(kept.get(stream)?.version, 90)
      assert.deepStrictEqual([(yield* read).state.count, reads.snapshots], [95, 1])
      assert.isBelow(reads.events, 20)
    })
  )

  it.effect("are not looked for on a short stream", () =>
    Effect.gen(function* () {
      const { addMany, read, reads } = yield* fixture
      yield* addMany(9)
      assert.deepStrictEqual([(yield* read).version, reads.snapshots], [9, 0])
    })
  )

  it.effect("change nothing but time when they are deleted", () =>
    Effect.gen(function* () {
      const { addMany, kept, read, reads } = yield* fixture
      yield* addMany(95)
      const before = yield* read
      kept.clear()
      const after = yield* read
      assert.deepStrictEqual(
        [after.state, after.version, after.position],
        [before.state, before.version, before.position]
      )
      assert.strictEqual(reads.events, 95)
    })
  )

  it.effect("are ignored with another fingerprint, with garbage inside, or of another log", () =>
    Effect.gen(function* () {
      const { addMany, kept, read } = yield* fixture
      yield* addMany(25)
      const good = kept.get(stream)!
      const bad: ReadonlyArray<Snapshot> = [
        { ...good, fingerprint: "another program", state: { count: 999, at: "" } },
        { ...good, state: { count: "garbage" } },
        { ...good, state: null },
        { ...good, version: 1000, state: { count: 999, at: "" } },
        { ...good, position: 7n, state: { count: 999, at: "" } }
      ]
      for (const snapshot of bad) {
        kept.set(stream, snapshot)
        assert.strictEqual((yield* read).state.count, 25)
      }
    })
  )

  it.effect("of an older fold are ignored", () =>
    Effect.gen(function* () {
      const { addMany, kept, process, reads } = yield* fixture
      yield* addMany(25)
      const changed = { ...saved, snapshots: { ...saved.snapshots, foldVersion: 2 } }
      const state = yield* process(
        Effect.gen(function* () {
          return (yield* (yield* Aggregates).read(changed, "a")).state.count
        })
      )
      assert.deepStrictEqual([state, kept.size], [25, 1])
      assert.isAtLeast(reads.events, 25)
    })
  )
})
