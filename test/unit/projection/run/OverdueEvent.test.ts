import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Fiber, identity } from "effect"
import { SqlError, UnknownError } from "effect/sql/SqlError"
import { TestClock } from "effect/testing"
import { ProjectionStopped } from "../../../../src/projection/Checkpoint.ts"
import { bounded } from "../../../../src/projection/run/BoundedTransaction.ts"
import * as OverdueEvent from "../../../../src/projection/run/OverdueEvent.ts"

const event = { position: 7n }

/** One transaction: how long until the handler begins, what that does, and what comes after it. */
const transact = Effect.fnUntraced(function* (
  overdue: OverdueEvent.OverdueEvent,
  {
    begins = "400 millis",
    commits = Effect.void,
    events = [event],
    handler = Effect.never
  }: {
    readonly begins?: Duration.Input
    readonly handler?: Effect.Effect<void, SqlError>
    readonly commits?: Effect.Effect<void, ProjectionStopped>
    readonly events?: ReadonlyArray<typeof event>
  } = {}
) {
  const transaction = (handling: typeof identity<Effect.Effect<void, SqlError>>) =>
    Effect.sleep(begins).pipe(Effect.andThen(handling(handler)), Effect.andThen(commits), bounded)
  const fiber = yield* Effect.forkChild(Effect.exit(overdue.watch(events, transaction)), { startImmediately: true })
  yield* TestClock.adjust("10 seconds")
  yield* Fiber.join(fiber)
})

const times = (count: number, transaction: Effect.Effect<void>) => Effect.repeat(transaction, { times: count - 1 })

describe("an event whose transaction does not end in time", () => {
  it.effect("is at fault once its handler took too long three times, alone", () =>
    Effect.gen(function* () {
      const overdue = OverdueEvent.make()
      yield* times(2, transact(overdue))
      assert.isUndefined(overdue.problemOf([event]))
      yield* transact(overdue)
      assert.match(overdue.problemOf([event]) ?? "", /longer than the 10 s that a transaction has, .* 3 times in a row/)
      assert.isUndefined(overdue.problemOf([event, { position: 8n }]))
      assert.isUndefined(overdue.problemOf([{ position: 8n }]))
    })
  )

  it.effect("is at fault as well where the server ends a statement of its handler each time", () =>
    Effect.gen(function* () {
      const overdue = OverdueEvent.make()
      const cause = { severity: "ERROR", code: "57014", message: "canceling statement due to statement timeout" }
      const ended = Effect.fail(new SqlError({ reason: new UnknownError({ cause, operation: "query" }) }))
      for (const position of [7n, 8n]) {
        yield* times(3, transact(overdue, { events: [{ position }], handler: ended }))
        assert.match(overdue.problemOf([{ position }]) ?? "", /^canceling .* timeout, also alone, 3 times in a row$/)
      }
      assert.strictEqual(overdue.streak(), 2)
      yield* times(4, transact(overdue, { begins: "600 millis", events: [{ position: 9n }], handler: ended }))
      assert.isUndefined(overdue.problemOf([{ position: 9n }]))
    })
  )

  it.effect("is not while another one was too slow in between", () =>
    Effect.gen(function* () {
      const overdue = OverdueEvent.make()
      yield* times(2, transact(overdue))
      yield* transact(overdue, { events: [{ position: 8n }] })
      yield* times(2, transact(overdue))
      assert.isUndefined(overdue.problemOf([event]))
    })
  )

  it.effect("is one of a streak until the handler gets through with another", () =>
    Effect.gen(function* () {
      const overdue = OverdueEvent.make()
      for (const position of [7n, 8n, 9n]) yield* times(4, transact(overdue, { events: [{ position }] }))
      yield* times(2, transact(overdue))
      assert.strictEqual(overdue.streak(), 3)
      yield* transact(overdue, { handler: Effect.void })
      assert.strictEqual(overdue.streak(), 0)
    })
  )

  it.effect("is tried anew after it was set aside, or after the projection had stopped for it", () =>
    Effect.gen(function* () {
      const broken = Effect.fail(new ProjectionStopped({ projection: "orders", problem: "too many" }))
      for (const commits of [Effect.void, broken]) {
        const overdue = OverdueEvent.make()
        yield* times(3, transact(overdue))
        yield* overdue.watch([event], () => commits).pipe(Effect.ignore)
        assert.isUndefined(overdue.problemOf([event]))
        assert.strictEqual(overdue.streak(), commits === broken ? 0 : 1)
      }
    })
  )

  it.effect("is not where the database is slow for everything, does not commit, or there was more to do", () =>
    Effect.gen(function* () {
      const overdue = OverdueEvent.make()
      yield* times(4, transact(overdue, { begins: "600 millis" }))
      yield* times(4, transact(overdue, { begins: "1 hour" }))
      yield* times(4, transact(overdue, { handler: Effect.void, commits: Effect.never }))
      yield* times(4, transact(overdue, { events: [event, { position: 8n }] }))
      yield* times(4, transact(overdue, { handler: Effect.die(new Error("no")) }))
      assert.isUndefined(overdue.problemOf([event]))
    })
  )
})
