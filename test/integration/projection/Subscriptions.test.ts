import { assert, describe, it } from "@effect/vitest"
import { Deferred, Duration, Effect, Exit, Fiber, Layer, Queue, Schema, Scope } from "effect"
import { JarId, Jars, fill } from "../../../harness/aggregates/Jars.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import * as PostgresProxy from "../../../harness/faults/PostgresProxy.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { silent } from "../../../harness/views/ViewSteps.ts"
import { Database } from "../../../src/database/Database.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { ParkedStreams } from "../../../src/projection/parking/ParkedStreams.ts"
import { defaults, ProjectionLimits } from "../../../src/projection/ProjectionLimits.ts"
import { type ProjectionInfo, Projections } from "../../../src/projection/Projections.ts"
import * as Subscriptions from "../../../src/projection/Subscriptions.ts"
import type { Events } from "../../../src/projection/TypedEvents.ts"

type Kernel = Layer.Success<typeof EventSourcing.layerMemory>

const name = "notes"

type JarEvents = Events<typeof Jars>

const noteOf = ({ event, id }: JarEvents[number]) => (event._tag === "Filled" ? `${id}:${event.coins}` : `${id}:label`)

/** What a handler was given, in the order of its calls. */
const makeNotes = () => {
  const notes: Array<string> = []
  const batches: Array<number> = []
  const note = (events: JarEvents) =>
    Effect.sync(() => {
      notes.push(...events.map(noteOf))
      batches.push(events.length)
    })
  return { notes, batches, note }
}

/** One process: the kernel on PostgreSQL, the jars, and a subscription. */
const process = <K, EK, E>(
  kernel: Layer.Layer<K | Kernel, EK>,
  subscription: Layer.Layer<never, E, Kernel | Jars>
): Layer.Layer<K | Kernel | Jars, E | EK> =>
  subscription.pipe(Layer.provideMerge(Jars.layer), Layer.provideMerge(kernel), Layer.provide(silent), Layer.fresh)

const onPostgres = (url: string) => EventSourcing.layerPostgres(url, patientConnections)

const subscribe = <E, R>(
  handle: (events: JarEvents) => Effect.Effect<unknown, E, R>,
  options: Partial<Subscriptions.Options<typeof Jars, E, R>> = {}
) => Subscriptions.make(name, { from: [Jars], start: "start", ...options, handle })

/** Waits until the subscription's entry in the list is as asked. */
const infoWhen = (isIt: (info: ProjectionInfo) => boolean) =>
  Effect.flatMap(Projections, ({ list }) =>
    list.pipe(
      Effect.delay("20 millis"),
      Effect.map((infos) => infos.find((info) => info.name === name)!),
      Effect.repeat({ until: isIt })
    )
  )

const isDone = infoWhen(({ behind }) => behind === 0)

describe("a subscription", () => {
  it.live("hands over every event in order, decoded, once while nothing fails, and goes on behind its checkpoint", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { notes, note } = makeNotes()
      yield* Effect.gen(function* () {
        yield* fill("a:1 b:2 a:3")
        const info = yield* isDone
        assert.deepInclude(info, { kind: "subscription", status: "live", position: 3n, parked: 0 })
      }).pipe(Effect.provide(process(onPostgres(url), subscribe(note))))
      yield* Effect.gen(function* () {
        yield* fill("b:4")
        yield* isDone
      }).pipe(Effect.provide(process(onPostgres(url), subscribe(note))))
      assert.deepStrictEqual(notes, ["a:1", "b:2", "a:3", "b:4"])
    })
  )

  it.live("starts behind the last event, or behind a token's event, only when it runs for the first time", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const { notes, note } = makeNotes()
      const token = yield* Effect.provide(fill("a:1 a:2"), process(onPostgres(url), Layer.empty))
      yield* Effect.gen(function* () {
        yield* fill("a:3")
        yield* isDone
      }).pipe(Effect.provide(process(onPostgres(url), subscribe(note, { start: "end" }))))
      assert.deepStrictEqual(notes.splice(0), ["a:3"])
      const other = Subscriptions.make("others", { from: [Jars], start: token, handle: note })
      yield* Effect.gen(function* () {
        yield* Effect.flatMap(Projections, ({ list }) => list).pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: (infos) => infos.every(({ behind }) => behind === 0) })
        )
        assert.deepStrictEqual(notes.splice(0), ["a:3"])
      }).pipe(Effect.provide(process(onPostgres(url), Layer.merge(other, subscribe(note, { start: "start" })))))
      const foreign = subscribe(note, { start: "1.0123456789ab" })
      const refused = yield* Effect.exit(
        Effect.provide(Effect.void, process(onPostgres(yield* freshDatabase), foreign))
      )
      assert.include(String(refused), "does not know position 1")
    })
  )

  it.live("gets the events again whose checkpoint was not recorded when its process died", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const proxy = yield* PostgresProxy.make(url)
      const first = makeNotes()
      const isHandled = yield* Deferred.make<void>()
      const scope = yield* Scope.make()
      const second = makeNotes()
      yield* Effect.gen(function* () {
        yield* fill("a:1 b:2")
        const handle = (events: JarEvents) => Effect.andThen(first.note(events), Deferred.succeed(isHandled, undefined))
        const { reads: sql } = yield* Database
        const [isLocked, isReleased] = [yield* Deferred.make<void>(), yield* Deferred.make<void>()]
        yield* Layer.buildWithScope(process(onPostgres(proxy.url), subscribe(handle, { start: "end" })), scope)
        yield* sql`SELECT FROM ordinal.checkpoints WHERE owner IS NOT NULL`.pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: (rows) => rows.length > 0 })
        )
        // Nobody can move the checkpoint while its row is locked.
        const lock = yield* sql`SET LOCAL idle_in_transaction_session_timeout = 0`.pipe(
          Effect.andThen(sql`SELECT FROM ordinal.checkpoints FOR UPDATE`),
          Effect.andThen(Deferred.succeed(isLocked, undefined)),
          Effect.andThen(Deferred.await(isReleased)),
          sql.withTransaction,
          Effect.forkChild
        )
        yield* Deferred.await(isLocked)
        yield* fill("a:3 b:4")
        yield* Deferred.await(isHandled)
        yield* proxy.goAway
        yield* Deferred.succeed(isReleased, undefined)
        yield* Fiber.join(lock)
        yield* Effect.gen(function* () {
          yield* isDone
        }).pipe(Effect.provide(process(onPostgres(url), subscribe(second.note))))
        assert.isAbove(first.notes.length, 0)
        assert.deepStrictEqual(second.notes, ["a:3", "b:4"])
        yield* proxy.comeBack
      }).pipe(Effect.provide(process(onPostgres(url), Layer.empty)))
      yield* Scope.close(scope, Exit.void)
    }).pipe(Effect.provideService(ProjectionLimits, { ...defaults, lease: Duration.millis(300) }))
  )

  it.live("is run by one process at a time, and by another one when that process is gone", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      const [first, second] = [makeNotes(), makeNotes()]
      const scope = yield* Scope.make()
      yield* Layer.buildWithScope(process(onPostgres(url), subscribe(first.note)), scope)
      yield* Effect.gen(function* () {
        yield* fill("a:1 b:2 a:3")
        yield* isDone
        assert.deepStrictEqual(second.notes, [])
        yield* Scope.close(scope, Exit.void)
        yield* fill("a:4")
        yield* isDone
        assert.deepStrictEqual([first.notes, second.notes], [["a:1", "b:2", "a:3"], ["a:4"]])
      }).pipe(Effect.provide(process(onPostgres(url), subscribe(second.note))))
    })
  )

  it.live("is given no more events at once than it takes, by number and by bytes", () =>
    Effect.gen(function* () {
      const url = yield* freshDatabase
      yield* Effect.provide(
        fill(Array.from({ length: 25 }, (_, index) => `a:${index + 1}`).join(" ")),
        process(onPostgres(url), Layer.empty)
      )
      const counted = makeNotes()
      yield* Effect.provide(isDone, process(onPostgres(url), subscribe(counted.note, { batch: 10 })))
      assert.deepStrictEqual(counted.batches, [10, 10, 5])
      const weighed = makeNotes()
      const other = Subscriptions.make("small", { from: [Jars], start: "start", batchBytes: 1, handle: weighed.note })
      yield* Effect.gen(function* () {
        yield* Effect.flatMap(Projections, ({ list }) => list).pipe(
          Effect.delay("20 millis"),
          Effect.repeat({ until: ([info]) => info!.behind === 0 })
        )
      }).pipe(Effect.provide(process(onPostgres(url), other)))
      assert.deepStrictEqual(
        weighed.batches,
        Array.from({ length: 25 }, () => 1)
      )
    })
  )

  it.live("sends commands and waits for what they lead to, since it is in no transaction, on PGlite as well", () =>
    Effect.gen(function* () {
      const copy = subscribe(
        Effect.fnUntraced(function* (events: JarEvents) {
          const jars = yield* Jars
          for (const { event, eventId, id } of events) {
            if (event._tag !== "Filled" || id !== "a") continue
            yield* jars.send(JarId.make("copy"), { _tag: "Fill", coins: event.coins }, { idempotencyKey: eventId })
          }
        })
      )
      for (const kernel of [onPostgres(yield* freshDatabase), EventSourcing.layerPglite("memory")]) {
        yield* Effect.gen(function* () {
          const jars = yield* Jars
          yield* fill("a:1 b:2 a:3")
          yield* jars
            .get(JarId.make("copy"))
            .pipe(Effect.delay("20 millis"), Effect.repeat({ until: ({ state }) => state.coins === 4 }))
          yield* isDone
        }).pipe(Effect.provide(process(kernel, copy)))
      }
    })
  )

  it("refuses options that are not valid", () => {
    const { note } = makeNotes()
    assert.throws(() => subscribe(note, { batch: 0 }), /a batch of 0; take a number from 1 on/)
    assert.throws(
      () => Subscriptions.make(name, { from: [], start: "end", handle: () => Effect.void }),
      /reads from nothing/
    )
  })

  it.live("dies beside another one of its name", () =>
    Effect.gen(function* () {
      const { note } = makeNotes()
      const twice = Layer.merge(subscribe(note), subscribe(note))
      const exit = yield* Effect.exit(Effect.provide(Effect.void, process(onPostgres(yield* freshDatabase), twice)))
      assert.include(String(exit), "Two projections or subscriptions are named notes")
    })
  )
})

class Away extends Schema.TaggedError<Away>()("Away", { retryAfter: Schema.Finite }) {}
class Bad extends Schema.TaggedError<Bad>()("Bad", { note: Schema.String }) {}

/** Fails for events that are said to be bad, until it is told not to. */
const makeFussy = <E>(isBad: (note: string) => boolean, error: (note: string) => E) => {
  const { notes, note } = makeNotes()
  const control = { isCured: false, failures: 0 }
  const handle = (events: JarEvents) =>
    Effect.suspend((): Effect.Effect<void, E> => {
      const bad = control.isCured ? undefined : events.map(noteOf).find(isBad)
      if (bad === undefined) return note(events)
      control.failures++
      return Effect.fail(error(bad))
    })
  return { notes, control, handle }
}

const kernels: Record<string, Effect.Effect<Layer.Layer<Kernel, unknown>, unknown, Scope.Scope>> = {
  "in memory": Effect.succeed(EventSourcing.layerMemory),
  "on PostgreSQL": Effect.map(freshDatabase, onPostgres)
}

for (const [where, kernel] of Object.entries(kernels)) {
  describe(`a subscription ${where} whose handler fails`, () => {
    it.live(
      "for one event parks its stream, goes on with the others, and delivers what was held back after a retry",
      () =>
        Effect.gen(function* () {
          const { control, handle, notes } = makeFussy(
            (note) => note === "b:2",
            (note) => new Bad({ note })
          )
          yield* Effect.gen(function* () {
            const parkedStreams = yield* ParkedStreams
            yield* fill("a:1 b:2 a:3 b:4 c:5")
            yield* isDone
            yield* fill("b:6 a:7")
            yield* isDone
            assert.deepStrictEqual(
              notes.filter((note) => note.startsWith("b")),
              []
            )
            assert.deepStrictEqual([...new Set(notes)].sort(), ["a:1", "a:3", "a:7", "c:5"])
            const [parked, ...others] = yield* parkedStreams.list
            assert.deepInclude(parked, { projection: name, streamId: "jar-b", version: 1 })
            assert.deepStrictEqual(others, [])
            const failing = yield* Effect.flip(parkedStreams.retry(parked!.id))
            assert.deepInclude(failing, { _tag: "StillFailing", version: 1 })
            control.isCured = true
            notes.length = 0
            yield* parkedStreams.retry(parked!.id)
            assert.deepStrictEqual(notes, ["b:2", "b:4", "b:6"])
            assert.deepStrictEqual(yield* parkedStreams.list, [])
            yield* fill("b:8")
            yield* isDone
            assert.deepStrictEqual(notes, ["b:2", "b:4", "b:6", "b:8"])
          }).pipe(Effect.provide(process(yield* kernel, subscribe(handle))))
        })
    )

    it.live("leaves a skipped event out for good", () =>
      Effect.gen(function* () {
        const { handle, notes } = makeFussy(
          (note) => note === "b:2",
          (note) => new Bad({ note })
        )
        yield* Effect.gen(function* () {
          const parkedStreams = yield* ParkedStreams
          yield* fill("a:1 b:2 b:4")
          yield* isDone
          const [parked] = yield* parkedStreams.list
          yield* parkedStreams.skip(parked!.id, 1)
          assert.deepStrictEqual([...new Set(notes)], ["a:1", "b:4"])
          assert.containSubset(yield* parkedStreams.list, [{ parked: false, skipped: [1] }])
        }).pipe(Effect.provide(process(yield* kernel, subscribe(handle))))
      })
    )

    it.live.each([
      ["Subscriptions.Retry", () => new Subscriptions.Retry({})],
      ["an error with retryAfter", () => new Away({ retryAfter: 1 })]
    ] as const)("with %s waits, and parks nothing, however often it fails and for one event alone", ([, error]) =>
      Effect.gen(function* () {
        const { control, handle, notes } = makeFussy<Subscriptions.Retry | Away>((note) => note === "b:2", error)
        yield* Effect.gen(function* () {
          yield* fill("a:1 b:2 a:3")
          yield* infoWhen(({ status }) => status === "retrying" && control.failures >= 8)
          const { list } = yield* ParkedStreams
          assert.deepStrictEqual(yield* list, [])
          control.isCured = true
          yield* isDone
          yield* infoWhen(({ status }) => status === "live")
          assert.deepStrictEqual(yield* list, [])
          assert.includeMembers(notes, ["a:1", "b:2", "a:3"])
        }).pipe(Effect.provide(process(yield* kernel, subscribe(handle))))
      })
    )

    it.live("for everything parks nothing, and goes on when it works again", () =>
      Effect.gen(function* () {
        const { control, handle, notes } = makeFussy(
          () => true,
          (note) => new Bad({ note })
        )
        yield* Effect.gen(function* () {
          yield* fill("a:1 b:2 a:3")
          yield* infoWhen(({ status }) => status === "retrying" && control.failures >= 8)
          assert.deepStrictEqual(yield* Effect.flatMap(ParkedStreams, ({ list }) => list), [])
          control.isCured = true
          yield* isDone
          assert.includeMembers(notes, ["a:1", "b:2", "a:3"])
        }).pipe(Effect.provide(process(yield* kernel, subscribe(handle))))
      })
    )

    it.live("by taking too long for one event parks its stream", () =>
      Effect.gen(function* () {
        const { notes, note } = makeNotes()
        const handle = (events: JarEvents) => (events.map(noteOf).includes("b:2") ? Effect.never : note(events))
        yield* Effect.gen(function* () {
          yield* fill("a:1 b:2 a:3")
          yield* isDone
          const [parked] = yield* Effect.flatMap(ParkedStreams, ({ list }) => list)
          assert.deepInclude(parked, { streamId: "jar-b" })
          assert.include(parked!.reason, "took longer than the 0.2 s")
          assert.deepStrictEqual([...new Set(notes)], ["a:1", "a:3"])
        }).pipe(Effect.provide(process(yield* kernel, subscribe(handle, { timeout: "200 millis" }))))
      })
    )

    it.live("by interrupting itself is tried again as after any other failure", () =>
      Effect.gen(function* () {
        const { notes, note } = makeNotes()
        let times = 0
        const handle = (events: JarEvents) => (times++ < 2 ? Effect.interrupt : note(events))
        yield* Effect.gen(function* () {
          yield* fill("a:1")
          yield* isDone
          assert.deepStrictEqual(notes, ["a:1"])
        }).pipe(Effect.provide(process(yield* kernel, subscribe(handle))))
      })
    )
  })

  describe(`an operator ${where}`, () => {
    it.live("rewinds a subscription to the start, to a token or to the end", () =>
      Effect.gen(function* () {
        const { control, handle, notes } = makeFussy(
          (note) => note === "b:2",
          (note) => new Bad({ note })
        )
        yield* Effect.gen(function* () {
          const projections = yield* Projections
          const token = yield* fill("a:1")
          yield* fill("b:2 a:3")
          yield* isDone
          control.isCured = true
          notes.length = 0
          yield* projections.rewind(name, token)
          yield* isDone
          assert.deepStrictEqual(notes.splice(0), ["b:2", "a:3"])
          assert.deepStrictEqual(yield* Effect.flatMap(ParkedStreams, ({ list }) => list), [])
          assert.deepInclude(yield* isDone, { parked: 0 })
          yield* projections.rewind(name, "start")
          yield* isDone
          assert.deepStrictEqual(notes.splice(0), ["a:1", "b:2", "a:3"])
          yield* projections.pause(name)
          yield* fill("a:4")
          yield* projections.rewind(name, "end")
          yield* projections.resume(name)
          yield* fill("a:5")
          yield* isDone
          assert.deepStrictEqual(notes.splice(0), ["a:5"])
          const refused = yield* Effect.flip(projections.rewind(name, "1.0123456789ab"))
          assert.strictEqual(refused._tag, "InvalidToken")
          assert.strictEqual((yield* Effect.flip(projections.rewind("other", "start")))._tag, "UnknownProjection")
        }).pipe(Effect.provide(process(yield* kernel, subscribe(handle))))
      })
    )

    it.live("pauses a subscription, which interrupts what it is handling", () =>
      Effect.gen(function* () {
        const { notes, note } = makeNotes()
        const begun = yield* Queue.unbounded<void>()
        const interrupted = yield* Deferred.make<void>()
        let isHeld = true
        const handle = (events: JarEvents) =>
          isHeld
            ? Queue.offer(begun, undefined).pipe(
                Effect.andThen(Effect.never),
                Effect.onInterrupt(() => Deferred.succeed(interrupted, undefined))
              )
            : note(events)
        yield* Effect.gen(function* () {
          const projections = yield* Projections
          yield* fill("a:1")
          yield* Queue.take(begun)
          yield* projections.pause(name)
          yield* Deferred.await(interrupted)
          isHeld = false
          yield* infoWhen(({ status }) => status === "paused")
          assert.deepStrictEqual(notes, [])
          yield* projections.resume(name)
          yield* isDone
          assert.deepStrictEqual(notes, ["a:1"])
        }).pipe(Effect.provide(process(yield* kernel, subscribe(handle))))
      })
    )

    it.live("brings a parked stream back while a batch is handled that left its next event out; it is not lost", () =>
      Effect.gen(function* () {
        const { notes, note } = makeNotes()
        let isCured = false
        const begun = yield* Deferred.make<void>()
        const isOpen = yield* Deferred.make<void>()
        const handle = (events: JarEvents) =>
          Effect.gen(function* () {
            const given = new Set(events.map(noteOf))
            if (!isCured && given.has("b:2")) return yield* new Bad({ note: "b:2" })
            if (given.has("a:9")) {
              yield* Deferred.succeed(begun, undefined)
              yield* Deferred.await(isOpen)
            }
            yield* note(events)
          })
        yield* Effect.gen(function* () {
          const parkedStreams = yield* ParkedStreams
          yield* fill("a:1 b:2")
          yield* isDone
          isCured = true
          const projections = yield* Projections
          // Both events are in one batch, since the subscription does not look while it is paused.
          yield* projections.pause(name)
          yield* infoWhen(({ status }) => status === "paused")
          yield* fill("b:8 a:9")
          yield* projections.resume(name)
          yield* Deferred.await(begun)
          const [parked] = yield* parkedStreams.list
          yield* parkedStreams.retry(parked!.id)
          yield* Deferred.succeed(isOpen, undefined)
          yield* isDone
          assert.deepStrictEqual(
            notes.filter((note) => note.startsWith("b")),
            ["b:2", "b:8"]
          )
          assert.include(notes, "a:9")
        }).pipe(Effect.provide(process(yield* kernel, subscribe(handle))))
      })
    )
  })
}

it.live("a handler that takes longer than a lease keeps it, and runs in no other process meanwhile", () =>
  Effect.gen(function* () {
    const url = yield* freshDatabase
    const [first, second] = [makeNotes(), makeNotes()]
    const begun = yield* Deferred.make<void>()
    const isOpen = yield* Deferred.make<void>()
    const slow = (events: JarEvents) =>
      Deferred.succeed(begun, undefined).pipe(
        Effect.andThen(Deferred.await(isOpen)),
        Effect.andThen(first.note(events))
      )
    const scope = yield* Scope.make()
    const one = yield* Layer.buildWithScope(process(onPostgres(url), subscribe(slow)), scope)
    yield* Effect.gen(function* () {
      yield* fill("a:1")
      yield* Deferred.await(begun)
      const { reads: sql } = yield* Database
      const lease = sql<{ readonly until: Date }>`SELECT until FROM ordinal.checkpoints`.pipe(
        Effect.map(([row]) => row!.until.getTime())
      )
      const start = yield* lease
      // Two whole leases pass.
      yield* lease.pipe(Effect.delay("20 millis"), Effect.repeat({ until: (until) => until > start + 600 }))
      assert.deepStrictEqual(second.notes, [])
      yield* Deferred.succeed(isOpen, undefined)
      yield* isDone
      assert.deepStrictEqual([first.notes, second.notes], [["a:1"], []])
    }).pipe(
      Effect.provide(process(onPostgres(url), subscribe(second.note))),
      Effect.forkChild,
      Effect.flatMap(Fiber.join)
    )
    yield* Scope.close(scope, Exit.void)
    return one
  }).pipe(Effect.provideService(ProjectionLimits, { ...defaults, lease: Duration.millis(300) }))
)
