import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Layer, Schema } from "effect"
import * as MemoryEventStore from "../../../src/eventstore/MemoryEventStore.ts"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { value, withOwnMetrics } from "../../../harness/fixtures/OwnMetrics.ts"
import { add, Counter, onMemory, registry } from "../../../harness/aggregates/Counter.ts"
import { patientCommands } from "../../../harness/clocks/Patience.ts"
import * as FaultyEventStore from "../../../src/testing/FaultyEventStore.ts"

const added = `orders_events_appended_total{type="counter.added.v1"}`

describe("metrics of actors", () => {
  it.live("count each event that is stored just once, and each race that is lost, however many writers there are", () =>
    Effect.gen(function* () {
      let lost = 0
      let appends = 0
      // The first append of each process waits for the other's, so that one of them loses.
      const isRace = yield* Deferred.make<void>()
      const together = Effect.suspend(() => {
        if (++appends === 2) Deferred.doneUnsafe(isRace, Effect.void)
        return Deferred.await(isRace)
      })
      const watched = FaultyEventStore.make(yield* MemoryEventStore.make({ soleWriter: false, appendDelay: 1 }))
      watched.inject({
        append: (call) =>
          Effect.tap(Effect.andThen(together, call), (outcomes) =>
            Effect.sync(() => {
              if (outcomes.some(({ _tag }) => _tag === "Conflict")) lost += 1
            })
          )
      })
      const process = Effect.map(
        Layer.build(registry(patientCommands).pipe(Layer.provide(watched.layer))),
        (services) => Context.get(services, Aggregates)
      )
      const both = [yield* process, yield* process]
      yield* Effect.forEach(
        Array.from({ length: 60 }, (_, index) => both[index % 2]!),
        (aggregates) => aggregates.send(Counter, "hot", add()),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(yield* value(added), 60)
      assert.isAbove(lost, 0)
      assert.strictEqual(yield* value("orders_append_conflicts_total"), lost)
    }).pipe(Effect.scoped, withOwnMetrics)
  )

  it.effect("count no event of what is refused or changes nothing", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* aggregates.send(Counter, "a", add(3))
      yield* aggregates.send(Counter, "a", add(0))
      yield* Effect.flip(aggregates.send(Counter, "a", { _tag: "RefuseAt", count: 1 }))
      yield* aggregates.read(Counter, "a")
      assert.strictEqual(yield* value(added), 1)
      assert.strictEqual(yield* value("orders_append_conflicts_total"), 0)
    }).pipe(Effect.provide(onMemory()), withOwnMetrics)
  )

  it.effect("count what actors are loaded from", () => {
    const schema = Schema.Struct({ count: Schema.Int, at: Schema.String })
    const saved = { ...Counter, snapshots: { every: 5, foldVersion: 1, schema } } satisfies typeof Counter
    // One actor at a time stays in memory.
    const layer = onMemory({ limits: { residents: 1 } })
    return Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* aggregates.send(saved, "long", add(), { fresh: true })
      for (let event = 1; event < 12; event++) yield* aggregates.send(saved, "long", add())
      yield* aggregates.send(saved, "short", add())
      yield* aggregates.read(saved, "long")
      yield* aggregates.read(saved, "short")
      const loaded = (source: string) => value(`orders_activations_total{source="${source}"}`)
      assert.deepStrictEqual([yield* loaded("new"), yield* loaded("log"), yield* loaded("snapshot")], [1, 2, 1])
    }).pipe(Effect.provide(layer), withOwnMetrics)
  })
})
