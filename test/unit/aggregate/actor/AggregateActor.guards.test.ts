import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer } from "effect"
import { Aggregates } from "../../../../src/aggregate/Aggregates.ts"
import { streamId } from "../../../../src/aggregate/Aggregate.ts"
import { EventStore, type Guard } from "../../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import * as FaultyEventStore from "../../../../src/testing/FaultyEventStore.ts"
import { add, Counter, gated, onMemory, registry } from "../../../../harness/aggregates/Counter.ts"
import { patientCommands } from "../../../../harness/clocks/Patience.ts"

const guard = (id: string, version: number): Guard => ({ streamId: streamId(Counter, id), version })
const guarded = (...guards: ReadonlyArray<Guard>) => ({ guards })
const moved = (id: string, version: number) =>
  ({ _tag: "GuardMoved", streamId: streamId(Counter, id), version }) as const

const aggregatesOn = (log: Layer.Layer<EventStore>) =>
  Effect.map(Layer.build(registry(patientCommands).pipe(Layer.provide(log))), Context.get(Aggregates))

describe("a command with guards", () => {
  it.effect("is stored while the streams that it was made from are at the versions that were read", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* aggregates.send(Counter, "limit", add())
      const guards = guarded(guard("limit", 1), guard("absent", 0))
      assert.strictEqual((yield* aggregates.send(Counter, "a", add(), guards)).version, 1)
      assert.strictEqual((yield* aggregates.send(Counter, "a", add(), guards)).version, 2)
    }).pipe(Effect.provide(onMemory()))
  )

  it.effect("is not stored and not decided again once one has moved, and the error names it", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      yield* aggregates.send(Counter, "limit", add())
      yield* aggregates.send(Counter, "limit", add())
      for (const version of [0, 1, 3]) {
        const error = yield* Effect.flip(aggregates.send(Counter, "a", add(), guarded(guard("limit", version))))
        assert.deepInclude(error, moved("limit", 2))
      }
      const keyed = { commandId: "7e2c0d9e-7a53-4c4e-9f38-0a52f2a1c001", fingerprint: "f", receipt: () => null }
      const send = aggregates.sendKeyed(Counter, "a", add(0), keyed, guarded(guard("limit", 1)))
      assert.deepInclude(yield* Effect.flip(send), moved("limit", 2))
      assert.strictEqual((yield* aggregates.read(Counter, "a")).version, 0)
    }).pipe(Effect.provide(onMemory()))
  )

  it.live("leaves the commands that wait behind it to be decided without it", () =>
    Effect.gen(function* () {
      const { arrived, layer, open } = yield* gated
      const aggregates = yield* aggregatesOn(layer)
      const send = (amount: number, guards = {}) =>
        Effect.forkChild(Effect.result(aggregates.send(Counter, "a", add(amount), guards)), { startImmediately: true })
      const first = yield* send(1)
      yield* arrived
      // These wait for the first one, so they are one drain.
      const fibers = [yield* send(10), yield* send(100, guarded(guard("limit", 7))), yield* send(1_000)]
      yield* open
      assert.strictEqual((yield* Fiber.join(first))._tag, "Success")
      const [before, lost, behind] = yield* Effect.forEach(fibers, Fiber.join)
      assert.containSubset(before, { success: { version: 2 } })
      assert.containSubset(lost, { failure: moved("limit", 0) })
      assert.containSubset(behind, { success: { version: 3, state: { count: 1_011 } } })
    }).pipe(Effect.scoped)
  )

  it.live("is refused at once with all others of the drain whose guards have moved as well", () =>
    Effect.gen(function* () {
      const { arrived, layer, log, open } = yield* gated
      const faulty = FaultyEventStore.make(Context.get(yield* Layer.build(layer), EventStore))
      let appends = 0
      faulty.inject({ append: (call) => Effect.suspend(() => (appends++, call)) })
      const aggregates = yield* aggregatesOn(faulty.layer)
      const other = yield* aggregatesOn(Layer.succeed(EventStore, log))
      yield* other.send(Counter, "limit", add())
      const send = (amount: number, guards = {}) =>
        Effect.forkChild(Effect.result(aggregates.send(Counter, "a", add(amount), guards)), { startImmediately: true })
      const first = yield* send(1)
      yield* arrived
      const lost = yield* Effect.forEach(Array.from({ length: 20 }), () => send(10, guarded(guard("limit", 0))))
      const held = yield* send(100, guarded(guard("limit", 1)))
      lost.push(yield* send(10, guarded(guard("b", 0), guard("limit", 0))))
      const free = yield* send(1_000)
      yield* open
      yield* Fiber.join(first)
      for (const fiber of lost) assert.containSubset(yield* Fiber.join(fiber), { failure: moved("limit", 1) })
      assert.containSubset(yield* Fiber.join(held), { success: { version: 2 } })
      assert.containSubset(yield* Fiber.join(free), { success: { version: 3, state: { count: 1_101 } } })
      // The first one, the drain behind it, and what is left of that.
      assert.strictEqual(appends, 3)
    }).pipe(Effect.scoped)
  )

  it.live("asks the log by one question for all that appends nothing", () =>
    Effect.gen(function* () {
      const { arrived, layer, open } = yield* gated
      const faulty = FaultyEventStore.make(Context.get(yield* Layer.build(layer), EventStore))
      let asked = 0
      let most = 0
      faulty.inject({
        currentVersion: (call) =>
          Effect.suspend(() => {
            most = Math.max(most, ++asked)
            return Effect.andThen(Effect.yieldNow, call)
          }).pipe(Effect.ensuring(Effect.sync(() => asked--)))
      })
      const aggregates = yield* aggregatesOn(faulty.layer)
      const send = (amount: number, guards = {}) =>
        Effect.forkChild(aggregates.send(Counter, "a", add(amount), guards), { startImmediately: true })
      const first = yield* send(1)
      yield* arrived
      const fibers = yield* Effect.forEach(Array.from({ length: 20 }), () => send(0, guarded(guard("limit", 0))))
      yield* open
      yield* Effect.forEach([first, ...fibers], Fiber.join)
      assert.strictEqual(most, 20)
    }).pipe(Effect.scoped)
  )

  for (const soleWriter of [true, false]) {
    it.effect(`is rejected or left without effect only if its guards hold (${soleWriter ? "one" : "any"} writer)`, () =>
      Effect.gen(function* () {
        const aggregates = yield* Aggregates
        yield* aggregates.send(Counter, "a", add(5))
        const refuse = { _tag: "RefuseAt", count: 5 } as const
        const held = guarded(guard("limit", 0))
        assert.strictEqual((yield* Effect.flip(aggregates.send(Counter, "a", refuse, held)))._tag, "TooMuch")
        const mismatch = yield* Effect.flip(aggregates.send(Counter, "a", add(), { ...held, precondition: 4 }))
        assert.strictEqual(mismatch._tag, "VersionMismatch")
        assert.strictEqual((yield* aggregates.send(Counter, "a", add(0), held)).version, 1)
        yield* aggregates.send(Counter, "limit", add())
        for (const [command, options] of [
          [refuse, held],
          [add(0), held],
          [add(), { ...held, precondition: 4 }]
        ] as const) {
          const error = yield* Effect.flip(aggregates.send(Counter, "a", command, options))
          assert.deepInclude(error, moved("limit", 1))
        }
      }).pipe(Effect.provide(onMemory({ soleWriter })))
    )
  }

  it.live("is rejected behind an append of the same drain only if its guards hold", () =>
    Effect.gen(function* () {
      const { arrived, layer, open } = yield* gated
      const aggregates = yield* aggregatesOn(layer)
      const fork = (...[command, options]: [Parameters<typeof add>[0] | "refuse", object?]) =>
        Effect.forkChild(
          Effect.result(
            aggregates.send(Counter, "a", command === "refuse" ? { _tag: "RefuseAt", count: 2 } : add(command), options)
          ),
          { startImmediately: true }
        )
      const first = yield* fork(1)
      yield* arrived
      const fibers = [
        yield* fork(1),
        yield* fork("refuse", guarded(guard("limit", 7))),
        yield* fork("refuse", guarded(guard("limit", 0))),
        yield* fork(0, guarded(guard("limit", 0))),
        yield* fork(1)
      ]
      yield* open
      yield* Fiber.join(first)
      const [before, lost, rejected, unchanged, last] = yield* Effect.forEach(fibers, Fiber.join)
      assert.containSubset(before, { success: { version: 2 } })
      assert.containSubset(lost, { failure: moved("limit", 0) })
      assert.containSubset(rejected, { failure: { _tag: "TooMuch", count: 2 } })
      assert.containSubset(unchanged, { success: { version: 2, state: { count: 2 } } })
      assert.containSubset(last, { success: { version: 3 } })
    }).pipe(Effect.scoped)
  )

  it.live("is unavailable alone if its guards can't be asked for: what is stored is told", () =>
    Effect.gen(function* () {
      const { arrived, layer, log, open } = yield* gated
      const faulty = FaultyEventStore.make(Context.get(yield* Layer.build(layer), EventStore))
      faulty.inject({ currentVersion: FaultyEventStore.unavailable })
      const aggregates = yield* aggregatesOn(faulty.layer)
      const fork = (amount: number, options?: { readonly guards: ReadonlyArray<Guard> }) =>
        Effect.forkChild(Effect.result(aggregates.send(Counter, "a", add(amount), options)), { startImmediately: true })
      const first = yield* fork(1)
      yield* arrived
      const fibers = [yield* fork(1), yield* fork(0, guarded(guard("limit", 0)))]
      yield* open
      yield* Fiber.join(first)
      const [stored, unchanged] = yield* Effect.forEach(fibers, Fiber.join)
      assert.containSubset(stored, { success: { version: 2 } })
      assert.containSubset(unchanged, { failure: { _tag: "DatabaseUnavailable" } })
      assert.strictEqual((yield* log.head).position, 2n)
    }).pipe(Effect.scoped)
  )

  it.effect("is refused, and says where, if a guard has a mistake", () =>
    Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const pathsOf = (guards: unknown) =>
        Effect.map(
          Effect.flip(aggregates.send(Counter, "a", add(), { guards: guards as ReadonlyArray<Guard> })),
          (error) => (error._tag === "InvalidRequest" ? error.errors.map(({ path }) => path) : error._tag)
        )
      for (const version of [-1, 0.5, Number.NaN, "1", undefined])
        assert.deepStrictEqual(yield* pathsOf([guard("b", 1), { ...guard("b", 1), version }]), [
          "options.guards[1].version"
        ])
      for (const streamId of ["", "counter", "Counter-a", "counter-a\nb", 7, undefined])
        assert.deepStrictEqual(yield* pathsOf([{ ...guard("b", 1), streamId }]), ["options.guards[0].streamId"])
      assert.deepStrictEqual(yield* pathsOf([null]), ["options.guards[0].streamId", "options.guards[0].version"])
      for (const guards of ["counter-b", { 0: guard("b", 0) }, Array.from({ length: 1_001 }, () => guard("b", 0))])
        assert.deepStrictEqual(yield* pathsOf(guards), ["options.guards"])
      assert.strictEqual((yield* aggregates.send(Counter, "a", add(), guarded())).version, 1)
    }).pipe(Effect.provide(onMemory()))
  )
})

it.live("an invariant over several streams holds, whoever races for it: the sum never exceeds its limit", () =>
  Effect.gen(function* () {
    const log = yield* MemoryEventStore.make({ soleWriter: false, appendDelay: 1 })
    const processes = [
      yield* aggregatesOn(Layer.succeed(EventStore, log)),
      yield* aggregatesOn(Layer.succeed(EventStore, log))
    ]
    const ids = ["a", "b", "c"]
    /** Adds one to a counter if the sum of all allows it; decides anew when another one has moved meanwhile. */
    const addOne = (aggregates: Aggregates["Service"], id: string): Effect.Effect<boolean> =>
      Effect.gen(function* () {
        const counters = yield* aggregates.readAll(Counter, ids)
        if (counters.reduce((sum, { state }) => sum + state.count, 0) >= 10) return false
        const guards = counters.map(({ version }, index) => guard(ids[index]!, version))
        yield* aggregates.send(Counter, id, add(), { guards })
        return true
      }).pipe(
        Effect.catchTag("GuardMoved", () => addOne(aggregates, id)),
        Effect.orDie
      )
    const added = yield* Effect.forEach(
      Array.from({ length: 64 }, (_, index) => index),
      (index) => addOne(processes[index % 2]!, ids[index % 3]!),
      { concurrency: "unbounded" }
    )
    assert.strictEqual(added.filter((isAdded) => isAdded).length, 10)
    assert.strictEqual((yield* log.head).position, 10n)
  }).pipe(Effect.scoped)
)
