import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer } from "effect"
import type { Entry } from "../../../../src/eventstore/EventStore.ts"
import * as MemoryEventStore from "../../../../src/eventstore/MemoryEventStore.ts"
import { Aggregates } from "../../../../src/aggregate/Aggregates.ts"
import * as CommandIdentity from "../../../../src/aggregate/idempotency/CommandIdentity.ts"
import * as FaultyEventStore from "../../../../src/testing/FaultyEventStore.ts"
import { add, Counter, registry } from "../../../../harness/aggregates/Counter.ts"

type Entries = ReadonlyArray<Entry>

/** From the second append on, each comes when something is stored already: the identical batch, or one made of it. */
const losingAnswers = Effect.fnUntraced(function* (stored: (entries: Entries) => Entries) {
  const log = yield* MemoryEventStore.make()
  const gate = yield* Deferred.make<void>()
  const { inject, layer } = FaultyEventStore.make(log)
  inject({
    append: (call, { args: [entries, timeout], number }) =>
      Effect.andThen(number === 1 ? Deferred.await(gate) : log.append(stored(entries), timeout), call)
  })
  return { layer, open: Deferred.succeed(gate, undefined) }
})

type Sent = readonly [kind: "keyed" | "unkeyed", amount: number]

const drainOf = (sent: ReadonlyArray<Sent>, stored: (entries: Entries) => Entries = (entries) => entries) =>
  Effect.gen(function* () {
    const { layer, open } = yield* losingAnswers(stored)
    return yield* Effect.gen(function* () {
      const aggregates = yield* Aggregates
      const start = <A, E>(effect: Effect.Effect<A, E>) =>
        Effect.forkChild(Effect.result(effect), { startImmediately: true })
      const first = yield* start(aggregates.send(Counter, "a", add(1)))
      const fibers = yield* Effect.forEach(sent, ([kind, amount]) => {
        if (kind === "unkeyed") return start(Effect.asVoid(aggregates.send(Counter, "a", add(amount))))
        const keyed = { ...CommandIdentity.make(["add"], `k${amount}`, amount), receipt: () => ({ amount }) }
        return start(Effect.asVoid(aggregates.sendKeyed(Counter, "a", add(amount), keyed)))
      })
      yield* open
      yield* Fiber.join(first)
      const answers = yield* Effect.forEach(fibers, Fiber.join)
      const { count } = (yield* aggregates.read(Counter, "a")).state
      const failures = answers.flatMap((answer) => (answer._tag === "Failure" ? [answer.failure] : []))
      return {
        count,
        answers: answers.map((answer) => (answer._tag === "Failure" ? answer.failure._tag : "Accepted")),
        receipts: failures.flatMap((error) => (error._tag === "CommandAlreadyAccepted" ? [error.receipt] : []))
      }
    }).pipe(Effect.provide(registry().pipe(Layer.provide(layer))))
  })

describe("a drain whose answer was lost, so that the log was sent it twice", () => {
  const cases: ReadonlyArray<readonly [ReadonlyArray<Sent>, ReadonlyArray<string>]> = [
    [
      [
        ["unkeyed", 10],
        ["unkeyed", 100]
      ],
      ["Accepted", "Accepted"]
    ],
    [
      [
        ["keyed", 10],
        ["unkeyed", 100]
      ],
      ["Accepted", "Accepted"]
    ],
    [
      [
        ["unkeyed", 10],
        ["keyed", 100]
      ],
      ["Accepted", "CommandAlreadyAccepted"]
    ],
    [
      [
        ["keyed", 10],
        ["keyed", 100]
      ],
      ["CommandAlreadyAccepted", "CommandAlreadyAccepted"]
    ],
    [
      [
        ["unkeyed", 10],
        ["keyed", 30],
        ["unkeyed", 70]
      ],
      ["Accepted", "Accepted", "Accepted"]
    ]
  ]
  it.effect.each(cases)("%j takes effect once", ([sent, answers]) =>
    Effect.gen(function* () {
      const result = yield* drainOf(sent)
      assert.strictEqual(result.count, 111)
      assert.deepStrictEqual(result.answers, answers)
    })
  )

  /** The same commands, decided by another process. */
  const byTwin = (entries: Entries): Entries =>
    entries.map((entry) => ({
      ...entry,
      events: entry.events.map((event) => ({ ...event, eventId: crypto.randomUUID() }))
    }))

  it.effect("is answered with the stored receipt where another process has stored a twin of it", () =>
    Effect.gen(function* () {
      const result = yield* drainOf([["keyed", 110]], byTwin)
      assert.deepStrictEqual(result, { count: 111, answers: ["CommandAlreadyAccepted"], receipts: [{ amount: 110 }] })
    })
  )

  it.effect("decides anew what it had decided on top of a command that a twin has stored", () =>
    Effect.gen(function* () {
      const sent: ReadonlyArray<Sent> = [
        ["keyed", 10],
        ["unkeyed", 100]
      ]
      const result = yield* drainOf(sent, (entries) => byTwin(entries.filter(({ keyed }) => keyed !== undefined)))
      assert.deepStrictEqual(result, {
        count: 111,
        answers: ["CommandAlreadyAccepted", "Accepted"],
        receipts: [{ amount: 10 }]
      })
    })
  )
})
