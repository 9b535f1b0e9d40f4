import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Schema, type Scope, Stream } from "effect"
import * as Aggregate from "../../../src/aggregate/Aggregate.ts"
import type { AggregateHost } from "../../../src/aggregate/AggregateService.ts"
import { Guarded } from "../../../src/aggregate/idempotency/Guarded.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"

const PotId = Schema.String.check(Schema.isPattern(/^[a-z]{1,8}$/)).pipe(Schema.brand("PotId"))
const Coins = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100 }))

class TooFew extends Schema.TaggedError<TooFew>()("TooFew", { coins: Schema.Int }) {}

class Pots extends Aggregate.Service<Pots>()("pot", {
  id: PotId,
  command: Schema.TaggedUnion({ Fill: { coins: Coins }, Take: { coins: Coins } }),
  event: Schema.TaggedUnion({ Filled: { coins: Coins }, Taken: { coins: Coins } }),
  state: Schema.Int,
  rejection: TooFew,
  initial: 0,
  decide: (command, coins) => {
    if (command._tag === "Fill") return Aggregate.accept({ _tag: "Filled", coins: command.coins })
    return command.coins > coins
      ? Aggregate.reject(new TooFew({ coins }))
      : Aggregate.accept({ _tag: "Taken", coins: command.coins })
  },
  evolve: (coins, event) => (event._tag === "Filled" ? coins + event.coins : coins - event.coins)
}) {}

const [a, b] = [PotId.make("a"), PotId.make("b")]

type Kernel = Layer.Layer<AggregateHost, unknown>
const kernels: Record<string, Effect.Effect<Kernel, unknown, Scope.Scope>> = {
  "in memory": Effect.succeed(EventSourcing.layerMemory),
  "on PGlite": Effect.succeed(EventSourcing.layerPglite("memory")),
  "on PostgreSQL": Effect.map(freshDatabase, (url) => EventSourcing.layerPostgres(url, patientConnections))
}

for (const [where, kernel] of Object.entries(kernels)) {
  const inKernel = <A, E>(program: Effect.Effect<A, E, Pots>) =>
    Effect.flatMap(kernel, (kernel) => Effect.provide(program, Layer.fresh(Layer.provide(Pots.layer, kernel))))

  describe(`the service of an aggregate ${where}`, () => {
    it.live("sends commands, and reads the state and the events", () =>
      Effect.gen(function* () {
        const pots = yield* Pots
        const empty = yield* pots.get(a)
        assert.deepStrictEqual([empty.state, empty.version], [0, 0])
        const filled = yield* pots.send(a, { _tag: "Fill", coins: 5 }, { actor: "ada" })
        assert.deepStrictEqual(
          [filled.state, filled.version, filled.events, filled.replayed],
          [5, 1, [{ _tag: "Filled", coins: 5 }], false]
        )
        assert.deepStrictEqual(yield* Effect.flip(pots.send(a, { _tag: "Take", coins: 6 })), new TooFew({ coins: 5 }))
        const taken = yield* pots.send(a, { _tag: "Take", coins: 2 }, { ifVersion: 1 })
        assert.deepInclude(yield* pots.get(a), { state: 3, version: 2, token: taken.token })
        const stale = yield* Effect.flip(pots.send(a, { _tag: "Take", coins: 2 }, { ifVersion: 1 }))
        assert.strictEqual(stale._tag, "VersionMismatch")
        const events = yield* Stream.runCollect(pots.events(a))
        assert.deepStrictEqual(
          events.map(({ event, metadata, version }) => [version, event, metadata.actor]),
          [
            [1, { _tag: "Filled", coins: 5 }, "ada"],
            [2, { _tag: "Taken", coins: 2 }, undefined]
          ]
        )
        assert.deepStrictEqual((yield* Stream.runCollect(pots.events(a, { after: 1 }))).length, 1)
      }).pipe(inKernel)
    )

    it.live("answers a repeat with the answer of the first time, whatever has happened since", () =>
      Effect.gen(function* () {
        const pots = yield* Pots
        const send = pots.send(a, { _tag: "Fill", coins: 5 }, { idempotencyKey: "key" })
        const twins = yield* Effect.all([send, send, send], { concurrency: "unbounded" })
        const first = twins.find(({ replayed }) => !replayed)
        assert.isDefined(first)
        yield* pots.send(a, { _tag: "Take", coins: 4 })
        for (const again of [...twins, yield* send]) assert.deepStrictEqual({ ...again, replayed: false }, first)
        const other = yield* Effect.flip(pots.send(a, { _tag: "Fill", coins: 6 }, { idempotencyKey: "key" }))
        assert.strictEqual(other._tag, "CommandIdReused")
        assert.strictEqual((yield* pots.get(a)).version, 2)
      }).pipe(inKernel)
    )

    it.live("stores a guarded command only while the guards hold, or makes it anew", () =>
      Effect.gen(function* () {
        const pots = yield* Pots
        yield* pots.send(b, { _tag: "Fill", coins: 7 })
        const moved = yield* Effect.flip(
          pots.send(a, { _tag: "Fill", coins: 1 }, { guards: [Pots.guard(b, 0)], idempotencyKey: "guarded" })
        )
        assert.deepInclude(moved, { _tag: "GuardMoved", version: 1 })
        let runs = 0
        const copy = Effect.map(pots.get(b), ({ state: coins, version }) => {
          runs += 1
          return Guarded.make({ _tag: "Fill", coins }, [Pots.guard(b, runs === 1 ? 0 : version)])
        })
        assert.strictEqual((yield* pots.sendGuarded(a, copy)).state, 7)
        assert.strictEqual(runs, 2)
        const invalid = Effect.succeed(Guarded.make({ _tag: "Fill", coins: 0 }, []))
        assert.strictEqual((yield* Effect.flip(pots.sendGuarded(a, invalid)))._tag, "InvalidRequest")
      }).pipe(inKernel)
    )

    it.live("names each mistake of an id, a command or an option", () =>
      Effect.gen(function* () {
        const pots = yield* Pots
        const mistakes = <A, E>(effect: Effect.Effect<A, E>) =>
          Effect.map(Effect.exit(effect), (exit) => {
            const error = Exit.findErrorOption(exit)
            return Option.isSome(error) ? String(error.value) : "none"
          })
        const wrong = JSON.parse('{ "_tag": "Fill", "coins": 0, "extra": 1 }')
        assert.include(yield* mistakes(pots.send(a, wrong)), "coins")
        assert.include(yield* mistakes(pots.send(a, wrong)), "extra")
        const upper = JSON.parse('"UPPER"')
        assert.include(yield* mistakes(pots.get(upper)), "id: ")
        assert.include(yield* mistakes(pots.send(upper, { _tag: "Fill", coins: 1 })), "id: ")
        assert.include(yield* mistakes(Stream.runCollect(pots.events(upper))), "id: ")
        assert.include(yield* mistakes(pots.send(a, { _tag: "Fill", coins: 1 }, { actor: "\u0000" })), "actor")
        assert.include(
          yield* mistakes(pots.send(a, { _tag: "Fill", coins: 1 }, { idempotencyKey: "" })),
          "Idempotency-Key"
        )
      }).pipe(inKernel)
    )
  })
}

it("refuses a definition that can't be hosted", () => {
  const definition = Pots.definition
  assert.throws(() => Aggregate.Service<Pots>()("Pot", definition), /lower-case letters/)
  assert.throws(
    () => Aggregate.Service<Pots>()("pot", { ...definition, snapshot: { every: 0, foldVersion: 1 } }),
    /from 1 on/
  )
})
