/**
 * Keeps the log in memory, for tests and trials, and gives the same outcomes as SQL, by code that is plainly right.
 *
 * All entries of an append are judged in one synchronous step. Nothing survives the process.
 */
import { Array as Arr, Clock, DateTime, Duration, Effect, Fiber, Layer, PubSub } from "effect"
import * as Metrics from "../telemetry/Metrics.ts"
import * as AppendedEvents from "./tail/AppendedEvents.ts"
import * as EventRow from "./EventRow.ts"
import {
  type Entry,
  EventStore,
  maxPageSize,
  type Outcome,
  type RecordedEvent,
  type StoredCommand
} from "./EventStore.ts"

export interface Options {
  /** Each append takes this many milliseconds, for tests of what happens meanwhile. */
  readonly appendDelay?: number
  /** Each read takes this many milliseconds. */
  readonly readDelay?: number
  /** Must be `false` if several registries of actors share the store, as processes share a database. */
  readonly soleWriter?: boolean
}

/** Finds NUL and lone surrogates in JSON, which PostgreSQL does not store either. */
const unstorable = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/

const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? "null")

export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const clock = yield* Clock.Clock
  const scope = yield* Effect.scope
  const grown = yield* PubSub.sliding<void>(1)
  const { onAppended, publish } = AppendedEvents.make(grown)
  const batchSize = yield* Metrics.appendBatchSize
  const logId = crypto.randomUUID()
  const events: Array<RecordedEvent> = []
  const streams = new Map<string, Array<RecordedEvent>>()
  const byEventId = new Map<string, RecordedEvent>()
  const commands = new Map<string, StoredCommand>()
  let lastRecorded = 0

  const streamOf = (streamId: string): Array<RecordedEvent> => {
    const known = streams.get(streamId)
    if (known !== undefined) return known
    const created: Array<RecordedEvent> = []
    streams.set(streamId, created)
    return created
  }

  /** Returns the outcome of a command that was stored before, or whose id was; `undefined` for a new one. */
  const earlierOutcome = (entry: Entry): Outcome | undefined => {
    if (entry.keyed !== undefined) {
      const command = commands.get(entry.commandId)
      if (command === undefined) return undefined
      if (command.fingerprint !== entry.keyed.fingerprint) return { _tag: "Reused" }
      const { version, position, recordedAt, receipt } = command
      return { _tag: "Duplicate", version, position, recordedAt, receipt }
    }
    const stored = streams.get(entry.streamId)
    const [first] = entry.events
    if (first === undefined || stored?.[entry.expected]?.eventId !== first.eventId) return undefined
    const last = stored[entry.expected + entry.events.length - 1]
    if (last === undefined) return undefined
    return { _tag: "Duplicate", version: last.version, position: last.position, recordedAt: last.recordedAt }
  }

  const store = (entry: Entry, recordedAt: string): Outcome => {
    const stream = streamOf(entry.streamId)
    for (const event of entry.events) {
      const recorded: RecordedEvent = {
        ...event,
        data: copy(event.data),
        metadata: { ...entry.metadata },
        streamId: entry.streamId,
        version: stream.length + 1,
        position: BigInt(events.length + 1),
        recordedAt
      }
      events.push(recorded)
      stream.push(recorded)
      byEventId.set(event.eventId, recorded)
    }
    const point = { version: stream.length, position: stream.at(-1)?.position ?? 0n, recordedAt }
    if (entry.keyed !== undefined) {
      const { fingerprint, receipt } = entry.keyed
      const { commandId, streamId } = entry
      commands.set(commandId, { commandId, fingerprint, streamId, receipt: copy(receipt), ...point })
    }
    return { _tag: "Accepted", ...point }
  }

  const appendEntry = (entry: Entry, isBroken: boolean, recordedAt: string): Outcome => {
    const earlier = earlierOutcome(entry)
    if (earlier !== undefined) return earlier
    const version = streamOf(entry.streamId).length
    if (isBroken || version !== entry.expected) return { _tag: "Conflict", version }
    for (const { streamId, version } of entry.guards ?? []) {
      const current = streams.get(streamId)?.length ?? 0
      if (current !== version) return { _tag: "GuardMoved", streamId, version: current }
    }
    if (unstorable.test(JSON.stringify([entry.events, entry.metadata, entry.keyed]))) {
      return { _tag: "Refused", reason: "unsupported Unicode escape sequence" }
    }
    if (entry.events.some((event) => byEventId.has(event.eventId))) {
      return { _tag: "Refused", reason: "an event id is used already" }
    }
    return store(entry, recordedAt)
  }

  const appendNow = (entries: ReadonlyArray<Entry>): ReadonlyArray<Outcome> => {
    lastRecorded = Math.max(lastRecorded, clock.currentTimeMillisUnsafe())
    const recordedAt = DateTime.formatIso(DateTime.makeUnsafe(lastRecorded))
    batchSize(entries.length)
    const before = events.length
    /** Later entries of these streams were decided on events that are not stored. */
    const broken = new Set<string>()
    const outcomes = entries.map((entry) => {
      const outcome = appendEntry(entry, broken.has(entry.streamId), recordedAt)
      if (outcome._tag !== "Accepted") broken.add(entry.streamId)
      return outcome
    })
    const appended = events.slice(before)
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

  const pageOf = (all: ReadonlyArray<RecordedEvent>, after: number, limit: number) =>
    all.slice(after, after + Math.min(limit, maxPageSize))

  return EventStore.of({
    append,
    readStream: (streamId, { after, limit }) => read(() => pageOf(streams.get(streamId) ?? [], after, limit)),
    readAll: ({ after, limit }) => read(() => pageOf(events, Number(after), limit)),
    currentVersion: (streamId) => read(() => streams.get(streamId)?.length ?? 0),
    findCommand: (commandId) => read(() => commands.get(commandId)),
    forgetCommands: (age, limit) =>
      Effect.sync(() => {
        const before = DateTime.formatIso(DateTime.makeUnsafe(clock.currentTimeMillisUnsafe() - Duration.toMillis(age)))
        const old = [...commands.values()].filter((command) => command.recordedAt < before).slice(0, limit)
        for (const { commandId } of old) commands.delete(commandId)
        return old.length
      }),
    head: Effect.sync(() => ({ logId, position: BigInt(events.length) })),
    writable: Effect.void,
    grown,
    onAppended,
    soleWriter: options.soleWriter ?? true
  })
})

export const layer = (options?: Options) => Layer.effect(EventStore, make(options))
