import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Option, PubSub } from "effect"
import { connect } from "../../../harness/servers/FreshDatabase.ts"
import * as PostgresProxy from "../../../harness/faults/PostgresProxy.ts"
import { now } from "../../../harness/clocks/RunningTime.ts"
import { Database } from "../../../src/database/Database.ts"
import { type Entry, EventStore, type Outcome } from "../../../src/eventstore/EventStore.ts"
import type * as GroupCommit from "../../../src/eventstore/append/GroupCommit.ts"
import { withinSeconds } from "../../../src/database/SqlFailure.ts"
import { yieldToIo } from "../../../src/database/YieldToIo.ts"
import { append, entry, newStream, readFrom, tags } from "../../../src/testing/EventStoreEntries.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { freshLogLayer, logLayer } from "../../../harness/views/LogLayer.ts"

/** Opens an event store through a proxy, with one append connection that is open already. */
const throughProxy = Effect.gen(function* () {
  const proxy = yield* PostgresProxy.make(yield* freshDatabase)
  const context = yield* Layer.build(logLayer(proxy.url, { pools: { append: 1 } }))
  yield* append(entry(newStream(), 0)).pipe(Effect.provide(context))
  return { proxy, context }
})

const tagOf = (exit: Exit.Exit<ReadonlyArray<Outcome>, GroupCommit.AppendError>) =>
  Exit.match(exit, {
    onFailure: (cause) => Option.getOrUndefined(Cause.findErrorOption(cause))?._tag,
    onSuccess: (outcomes) => outcomes[0]?._tag
  })

const appendWithin = (millis: number, appended: Entry = entry(newStream(), 0)) =>
  Effect.gen(function* () {
    const log = yield* EventStore
    const start = now()
    const exit = yield* Effect.exit(log.append([appended], millis))
    return { tag: tagOf(exit), took: now() - start }
  })

/** Blocks this process for a number of milliseconds. */
const holdUp = (millis: number) => {
  for (const end = performance.now() + millis; performance.now() < end;);
}

describe("an append whose connection is lost", () => {
  for (const fault of ["cut before", "cut after"] as const) {
    it.live(`takes effect exactly once when the connection is ${fault} the server has the statement`, () =>
      Effect.gen(function* () {
        const { proxy, context } = yield* throughProxy
        yield* Effect.gen(function* () {
          const rounds = Number(process.env.ROUNDS ?? 100)
          const answers: Array<string> = []
          for (let round = 0; round < rounds; round++) {
            yield* proxy.inject(fault)
            answers.push(
              ...tags(yield* append(entry(newStream(), 0), entry(newStream(), 0, { events: 2, fingerprint: "a" })))
            )
          }
          assert.strictEqual(proxy.hits(), rounds)
          assert.deepStrictEqual(new Set(answers), new Set([fault === "cut before" ? "Accepted" : "Duplicate"]))
          assert.lengthOf(yield* readFrom(1n), rounds * 3)
        }).pipe(Effect.provide(context))
      })
    )
  }

  it.live("is answered within its deadline when the server goes silent after storing it", () =>
    Effect.gen(function* () {
      const { proxy, context } = yield* throughProxy
      yield* Effect.gen(function* () {
        yield* proxy.inject("swallow")
        const { tag, took } = yield* appendWithin(30_000)
        assert.strictEqual(tag, "Duplicate")
        assert.isBelow(took, 6_000)
        assert.lengthOf(yield* readFrom(1n), 1)
      }).pipe(Effect.provide(context))
    })
  )

  it.live("fails as unknown at the deadline when the server stays away, and is a duplicate when it is back", () =>
    Effect.gen(function* () {
      const { proxy, context } = yield* throughProxy
      yield* Effect.gen(function* () {
        const lost = entry(newStream(), 0)
        yield* proxy.inject("swallow")
        const waiting = yield* Effect.forkChild(appendWithin(2_000, lost))
        yield* Effect.sync(proxy.hits).pipe(Effect.delay("2 millis"), Effect.repeat({ until: (hits) => hits > 0 }))
        yield* proxy.goAway
        const { tag, took } = yield* Fiber.join(waiting)
        assert.strictEqual(tag, "OutcomeUnknown")
        assert.isBelow(took, 5_000)
        yield* proxy.comeBack
        assert.deepStrictEqual(tags(yield* append(lost)), ["Duplicate"])
      }).pipe(Effect.provide(context))
    })
  )

  it.live("fails as not stored when connections are refused", () =>
    Effect.gen(function* () {
      const { proxy, context } = yield* throughProxy
      yield* Effect.gen(function* () {
        yield* proxy.goAway
        const { tag, took } = yield* appendWithin(1_000)
        assert.strictEqual(tag, "DatabaseUnavailable")
        assert.isBelow(took, 4_000)
        yield* proxy.comeBack
        assert.strictEqual((yield* appendWithin(30_000)).tag, "Accepted")
        assert.lengthOf(yield* readFrom(1n), 1)
      }).pipe(Effect.provide(context))
    })
  )

  it.live("is not sent again when its answer came while this process was held up", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const context = yield* Layer.build(logLayer(url, { pools: { append: 1 } }))
      const raw = yield* connect(url)
      yield* Effect.gen(function* () {
        yield* append(entry(newStream(), 0))
        const { reads: sql } = yield* Database
        const waits = (event: string) =>
          Effect.map(
            sql`SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = ${event}`,
            (rows) => rows.length > 0
          )
        const waitsOrDone = (event: string, fiber: Fiber.Fiber<unknown, unknown>) =>
          waits(event).pipe(Effect.repeat({ until: (isSo) => isSo || fiber.pollUnsafe() !== undefined }))
        const heldUp = Effect.gen(function* () {
          const locking = yield* Effect.forkChild(
            raw.unsafe(`DO $$ BEGIN PERFORM FROM ordinal.log_head FOR UPDATE; PERFORM pg_sleep(1.5); END $$`)
          )
          yield* waitsOrDone("PgSleep", locking)
          const appending = yield* Effect.forkChild(append(entry(newStream(), 0)))
          yield* waitsOrDone("transactionid", appending)
          holdUp(4_000)
          return tags(yield* Fiber.join(appending))
        })
        // On a slow machine the answer may come only after the hold-up: then the test tries again.
        const outcome = yield* Effect.repeat(heldUp, { until: ([tag]) => tag === "Accepted", times: 4 })
        assert.deepStrictEqual(outcome, ["Accepted"])
      }).pipe(Effect.provide(context))
    })
  )

  it.live("goes on when its caller is interrupted", () =>
    Effect.gen(function* () {
      const { context } = yield* throughProxy
      yield* Effect.gen(function* () {
        const stream = newStream()
        const caller = yield* Effect.forkChild(append(entry(stream, 0)), { startImmediately: true })
        yield* Effect.yieldNow
        yield* Fiber.interrupt(caller)
        assert.deepStrictEqual(tags(yield* append(entry(stream, 1))), ["Accepted"])
      }).pipe(Effect.provide(context))
    })
  )
})

describe("readers", () => {
  it.live("get an answer that came while this process was held up longer than their limit", () =>
    Effect.gen(function* () {
      const { reads: sql } = yield* Database
      yield* sql`SELECT 1`
      const heldUp = Effect.gen(function* () {
        const reading = yield* Effect.forkChild(withinSeconds(1)(sql`SELECT 1 AS one FROM pg_sleep(0.1)`))
        // After a turn of the event loop, the timers come before the sockets are read again.
        yield* Effect.sleep(20).pipe(Effect.andThen(yieldToIo))
        holdUp(2_500)
        return yield* Fiber.join(reading)
      })
      // On a slow machine the answer may come only after the hold-up: then the test tries again.
      assert.deepStrictEqual(yield* Effect.retry(heldUp, { times: 4 }), [{ one: 1 }])
    }).pipe(Effect.provide(freshLogLayer()))
  )

  it.live("fail as unavailable while the server is away, and hear of other processes again afterwards", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const proxy = yield* PostgresProxy.make(url)
      const context = yield* Layer.build(logLayer(proxy.url))
      yield* Effect.gen(function* () {
        const log = yield* EventStore
        const hints = yield* PubSub.subscribe(log.grown)
        yield* PubSub.take(hints)
        yield* proxy.goAway
        const failed = yield* Effect.flip(log.readAll({ after: 0n, limit: 10 }))
        assert.strictEqual(failed._tag, "DatabaseUnavailable")
        assert.strictEqual((yield* Effect.flip(log.currentVersion(newStream())))._tag, "DatabaseUnavailable")
        yield* proxy.comeBack
        assert.deepStrictEqual(yield* log.readAll({ after: 0n, limit: 10 }), [])
        // One hint says that it listens again; the next can only come from the other process.
        yield* PubSub.take(hints)
        yield* append(entry(newStream(), 0)).pipe(Effect.provide(logLayer(url)))
        yield* PubSub.take(hints)
      }).pipe(Effect.provide(context))
    })
  )
})
