/** A log that was replaced by an older copy: nothing that an actor remembers of it is served or caught up from. */
import { assert, it } from "@effect/vitest"
import { Effect, Layer, Logger } from "effect"
import { Aggregates } from "../../../src/aggregate/Aggregates.ts"
import { Snapshots } from "../../../src/aggregate/Snapshots.ts"
import { LogTail } from "../../../src/eventstore/tail/LogTail.ts"
import { add, Counter } from "../../../harness/aggregates/Counter.ts"
import { restoreLog } from "../../../harness/faults/RestoredLog.ts"
import { freshLogLayer } from "../../../harness/views/LogLayer.ts"

it.live("an actor above the log is loaded anew, and one whose events were replaced is dropped", () =>
  Effect.gen(function* () {
    const aggregates = yield* Aggregates
    const tail = yield* LogTail
    const count = (id: string) =>
      Effect.map(aggregates.read(Counter, id), ({ state: { count }, version }) => [count, version])
    for (const id of ["a", "b", "a", "b", "a"]) yield* aggregates.send(Counter, id, add())
    const timeline = yield* tail.timeline
    yield* restoreLog(2n)
    assert.deepStrictEqual(yield* count("a"), [1, 1])
    assert.strictEqual((yield* aggregates.send(Counter, "a", add(10))).version, 2)
    yield* tail.timeline.pipe(Effect.delay("20 millis"), Effect.repeat({ until: (now) => now > timeline }))
    assert.deepStrictEqual(yield* count("a"), [11, 2])
    assert.deepStrictEqual(yield* count("b"), [1, 1])
  }).pipe(
    Effect.provide(
      Aggregates.layer.pipe(
        Layer.provide(Snapshots.layerMemory),
        Layer.provideMerge(LogTail.layer),
        Layer.provideMerge(freshLogLayer())
      )
    ),
    Effect.provide(Logger.layer([]))
  )
)
