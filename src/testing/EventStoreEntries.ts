/** Makes entries, appends them and reads them back, for tests of an `EventStore`. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import {
  type Entry,
  EventStore,
  type Guard,
  maxPageSize,
  type NewEvent,
  type Outcome,
  type RecordedEvent
} from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"

/** Makes a random id for commands and events. */
export const uuid = (): string => crypto.randomUUID()

/** Makes the id of a stream that nobody else uses. */
export const newStream = () => StreamId.make("contract", uuid())

/** Makes an event of the type `Happened` with these data. */
export const event = (data: unknown = { note: "happened" }): NewEvent => ({
  eventId: uuid(),
  type: "Happened",
  schemaVersion: 1,
  data
})

/**
 * Makes an entry that expects a version of its stream (0 = empty). `events` is a number of events, by default 1, or the
 * events themselves. With a `fingerprint` the command is keyed, and its receipt is `{ of: commandId }`.
 */
export const entry = (
  streamId: StreamId.StreamId,
  expected: number,
  options: {
    readonly events?: number | ReadonlyArray<NewEvent>
    readonly commandId?: string
    readonly fingerprint?: string
    readonly guards?: ReadonlyArray<Guard>
  } = {}
): Entry => {
  const { events = 1, commandId = uuid(), fingerprint, guards } = options
  return {
    streamId,
    expected,
    commandId,
    ...(fingerprint === undefined ? {} : { keyed: { fingerprint, receipt: { of: commandId } } }),
    events: typeof events === "number" ? Array.from({ length: events }, () => event()) : events,
    metadata: { commandId, correlationId: commandId, causationId: commandId, actor: "contract" },
    ...(guards === undefined ? {} : { guards })
  }
}

/** Asserts deep equality of values whose types may differ. */
export const equal = (actual: unknown, expected: unknown, message?: string): void =>
  assert.deepStrictEqual(actual, expected, message)

/** Appends the entries in one call with a timeout of 10 s, and fails as `EventStore.append` does. */
export const append = Effect.fnUntraced(function* (...entries: ReadonlyArray<Entry>) {
  const store = yield* EventStore
  return yield* store.append(entries, 10_000)
})

/** Returns the tag of each outcome. */
export const tags = (outcomes: ReadonlyArray<Outcome>) => outcomes.map((outcome) => outcome._tag)

/** Returns the version of each outcome; `undefined` for outcomes without one. */
export const versions = (outcomes: ReadonlyArray<Outcome>) =>
  outcomes.map((outcome) => ("version" in outcome ? outcome.version : undefined))

/** Reads all events of a stream. */
export const readWholeStream = Effect.fnUntraced(function* (streamId: StreamId.StreamId) {
  const store = yield* EventStore
  const all: Array<RecordedEvent> = []
  while (true) {
    const page = yield* store.readStream(streamId, { after: all.length, limit: maxPageSize })
    all.push(...page.events)
    if (!page.hasMore) return all
  }
})

/**
 * Reads all events of the log after position `start`, and asserts that their positions follow each other without a gap.
 */
export const readFrom = Effect.fnUntraced(function* (start: bigint, limit = maxPageSize) {
  const store = yield* EventStore
  const all: Array<RecordedEvent> = []
  while (true) {
    const page = yield* store.readAll({ after: start + BigInt(all.length), limit })
    if (page.length === 0) return all
    for (const recorded of page) {
      all.push(recorded)
      assert.strictEqual(recorded.position, start + BigInt(all.length))
    }
  }
})
