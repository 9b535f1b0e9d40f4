/**
 * Keeps the log in memory, for tests and trials, and gives the same outcomes as SQL: `MemoryLog` judges the entries of an
 * append in one synchronous step. Nothing survives the process.
 */
import { Array as Arr, Clock, DateTime, Duration, Effect, Fiber, Layer, PubSub } from "effect"
import * as Metrics from "../telemetry/Metrics.ts"
import * as AppendedEvents from "./tail/AppendedEvents.ts"
import * as EventRow from "./EventRow.ts"
import { type Entry, EventStore, type Outcome } from "./EventStore.ts"
import * as MemoryLog from "./MemoryLog.ts"

export interface Options {
  /** Each append takes this many milliseconds, for tests of what happens meanwhile. */
  readonly appendDelay?: number
  /** Each read takes this many milliseconds. */
  readonly readDelay?: number
  /** Must be `false` if several registries of actors share the store, as processes share a database. */
  readonly soleWriter?: boolean
}

export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const grown = yield* PubSub.sliding<void>(1)
  const { onAppended, publish } = AppendedEvents.make(grown)
  const batchSize = yield* Metrics.appendBatchSize
  const logId = crypto.randomUUID()
  const log = MemoryLog.make()
  let lastRecorded = 0

  const appendNow = (entries: ReadonlyArray<Entry>): ReadonlyArray<Outcome> => {
    lastRecorded = Math.max(lastRecorded, clock.currentTimeMillisUnsafe())
    batchSize(entries.length)
    const before = log.events.length
    const outcomes = log.append(entries, DateTime.formatIso(DateTime.makeUnsafe(lastRecorded)))
    const appended = log.events.slice(before)
    if (Arr.isReadonlyArrayNonEmpty(appended)) publish(appended, EventRow.bytesOf(appended))
    return outcomes
  }

  // As in SQL, a caller that goes away does not stop the write.
  const append: EventStore["Service"]["append"] = (entries) =>
    options.appendDelay === undefined
      ? Effect.sync(() => appendNow(entries))
      : Effect.sleep(options.appendDelay).pipe(
          Effect.map(() => appendNow(entries)),
          Effect.forkIn(scope, { startImmediately: true }),
          Effect.flatMap(Fiber.join)
        )

  const read = <A>(evaluate: () => A): Effect.Effect<A> =>
    options.readDelay === undefined ? Effect.sync(evaluate) : Effect.delay(Effect.sync(evaluate), options.readDelay)

  return EventStore.of({
    append,
    readStream: (streamId, { after, limit }) => read(() => log.readStream(streamId, after, limit)),
    readAll: ({ after, limit }) => read(() => log.readAll(after, limit)),
    currentVersion: (streamId) => read(() => log.currentVersion(streamId)),
    findCommand: (commandId) => read(() => log.findCommand(commandId)),
    forgetCommands: (age, limit) =>
      Effect.sync(() => {
        const now = clock.currentTimeMillisUnsafe()
        const before = DateTime.formatIso(DateTime.makeUnsafe(now - Duration.toMillis(age)))
        return log.forgetCommands(before, limit, now / 1000)
      }),
    head: Effect.sync(() => ({ logId, position: BigInt(log.events.length) })),
    writable: Effect.void,
    grown,
    onAppended,
    soleWriter: options.soleWriter ?? true
  })
})

export const layer = (options?: Options) => Layer.effect(EventStore, make(options))
