import { assert, it } from "@effect/vitest"
import { Context, Deferred, Effect, Exit, Layer, Scope } from "effect"
import { fill, Jars } from "../../../../harness/aggregates/Jars.ts"
import { silent } from "../../../../harness/views/ViewSteps.ts"
import { EventStore } from "../../../../src/eventstore/EventStore.ts"
import { LogTail } from "../../../../src/eventstore/tail/LogTail.ts"
import * as EventSourcing from "../../../../src/kernel/EventSourcing.ts"
import { ProjectionProgress } from "../../../../src/projection/consistency/ProjectionProgress.ts"
import { isSubscription, type Subscription } from "../../../../src/projection/Projection.ts"
import * as ProjectionRunner from "../../../../src/projection/run/ProjectionRunner.ts"
import * as MemoryProjectionStore from "../../../../src/projection/store/MemoryProjectionStore.ts"
import * as MemoryTables from "../../../../src/projection/store/MemoryTables.ts"
import { ProjectionStore } from "../../../../src/projection/store/ProjectionStore.ts"

it.live("two hosts that share a memory run a subscription one at a time; the other one goes on at the checkpoint", () =>
  Effect.gen(function* () {
    const kernel = yield* Layer.build(Layer.provideMerge(Jars.layer, EventSourcing.layerMemory))
    const memory = yield* Layer.build(MemoryProjectionStore.Memory.layer)
    const given: Array<string> = []
    const seven = yield* Deferred.make<void>()

    const host = (name: string) => {
      const subscription: Subscription = {
        name: "notes",
        version: 1,
        partition: "stream",
        categories: ["jar"],
        start: "start",
        maxEvents: 100,
        maxBytes: 1_000_000,
        deliver: (events) =>
          Effect.gen(function* () {
            given.push(...events.map(({ position }) => `${name} ${position}`))
            if (events.at(-1)!.position === 7n) yield* Deferred.succeed(seven, undefined)
          })
      }
      assert.isTrue(isSubscription(subscription))
      return ProjectionRunner.layer(subscription).pipe(
        Layer.provideMerge(ProjectionProgress.layer),
        Layer.provideMerge(MemoryProjectionStore.layerNoDeps),
        Layer.provide(Layer.succeedContext(Context.merge(Context.pick(EventStore, LogTail)(kernel), memory))),
        Layer.provide(silent),
        Layer.fresh
      )
    }

    const scope = yield* Scope.make()
    const first = yield* Layer.buildWithScope(host("first"), scope)
    yield* Effect.provide(fill("a:1 b:2 a:3 c:4"), kernel)
    yield* Effect.flatMap(ProjectionProgress, (progress) => progress.awaitPosition({ name: "notes" }, 4n)).pipe(
      Effect.provide(first)
    )
    const second = yield* Layer.build(host("second"))
    yield* Effect.provide(fill("a:5"), kernel)
    yield* Effect.flatMap(ProjectionProgress, (progress) => progress.awaitPosition({ name: "notes" }, 5n)).pipe(
      Effect.provide(second)
    )
    assert.deepStrictEqual(given, ["first 1", "first 2", "first 3", "first 4", "first 5"])
    yield* Scope.close(scope, Exit.void)
    yield* Effect.provide(fill("a:6 a:7"), kernel)
    yield* Deferred.await(seven)
    assert.deepStrictEqual(given.slice(5), ["second 6", "second 7"])
    const row = yield* Effect.flatMap(ProjectionStore, ({ shared }) =>
      shared.stored({ name: "notes", slot: "live" })
    ).pipe(Effect.provide(second))
    assert.strictEqual(row?.logId, row?.checkpointLogId)
  })
)

it.effect("a transaction in memory happens or does not, and what is inside of it may fail alone", () =>
  Effect.gen(function* () {
    const tables = MemoryTables.make<{ readonly numbers: number }>(["numbers"])
    const put = (key: string, value: number | undefined) => tables.write(({ numbers }) => numbers.set(key, value))
    const all = tables.read(({ numbers }) => Object.fromEntries(numbers.all()))
    yield* put("a", 1)
    const seen = yield* Effect.gen(function* () {
      yield* put("b", 2)
      yield* Effect.ignore(tables.transaction(Effect.andThen(put("c", 3), Effect.fail("no"))))
      yield* tables.transaction(put("a", undefined))
      return yield* all
    }).pipe(tables.transaction)
    assert.deepStrictEqual(seen, { b: 2 })
    assert.deepStrictEqual(yield* all, { b: 2 })
    yield* Effect.ignore(tables.transaction(Effect.andThen(put("b", 9), Effect.fail("no"))))
    yield* Effect.exit(tables.transaction(Effect.andThen(put("b", 9), Effect.interrupt)))
    assert.deepStrictEqual(yield* all, { b: 2 })
  })
)
