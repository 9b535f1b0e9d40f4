import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import { Snapshots } from "../../../../src/aggregate/Snapshots.ts"
import { equal } from "../../../../src/testing/EventStoreEntries.ts"
import { expected, inNewProcess, ledger } from "../../../../harness/aggregates/Ledger.ts"

const provided = Layer.merge(MemoryEventStore.layer(), Snapshots.layerMemory)

/** A page of the log is 500 events. */
for (const every of [undefined, 1, 499, 500, 501, 1_000, 5_000]) {
  it.effect(`a stream of any length is read whole with a snapshot every ${every ?? "never"}`, () =>
    Effect.gen(function* () {
      const aggregate = ledger(every)
      let version = 0
      for (const length of [498, 499, 500, 501, 999, 1_000, 1_001, 2_600]) {
        const events = length - version
        yield* inNewProcess((aggregates) => aggregates.send(aggregate, "a", { _tag: "Book", events }))
        version = length
        const read = yield* inNewProcess((aggregates) => aggregates.read(aggregate, "a"))
        assert.strictEqual(read.version, version)
        equal(read.state, expected(version))
      }
    }).pipe(Effect.provide(provided))
  )
}
