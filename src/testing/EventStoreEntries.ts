/** Entries to append and ways to read them back, for tests of an `EventStore`. */
import { assert } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import { type Entry, EventStore, type NewEvent, type Outcome, type RecordedEvent } from "../eventstore/EventStore.ts"
import * as StreamId from "../eventstore/StreamId.ts"

export const uuid = (): string => crypto.randomUUID()

export const newStream = () => StreamId.make("contract", uuid())

export const event = (data: unknown = { note: "happened" }): NewEvent => ({
  eventId: uuid(),
  type: "Happened",
  schemaVersion: 1,
  data
})

export const entry = (
  streamId: StreamId.StreamId,
  expected: number,
  options: {
    readonly events?: number | ReadonlyArray<NewEvent>
    readonly commandId?: string
    readonly fingerprint?: string
  } = {}
): Entry => {
  const { events = 1, commandId = uuid(), fingerprint } = options
  return {
    streamId,
    expected,
    commandId,
    ...(fingerprint === undefined ? {} : { keyed: { fingerprint, receipt: { of: commandId } } }),
    events: typeof events === "number" ? Array.from({ length: events }, () => event()) : events,
    metadata: { commandId, correlationId: commandId, causationId: commandId, actor: "contract" }
  }
}

const soon = Effect.map(DateTime.now, (now) => DateTime.toEpochMillis(now) + 10_000)

/** Equal in every part, whatever the types say. */
export const equal = (actual: unknown, expected: unknown, message?: string): void =>
  assert.deepStrictEqual(actual, expected, message)

export const append = (...entries: ReadonlyArray<Entry>) =>
  Effect.gen(function* () {
    const log = yield* EventStore
    return yield* log.append(entries, yield* soon)
  })

export const tags = (outcomes: ReadonlyArray<Outcome>) => outcomes.map((outcome) => outcome._tag)

export const versions = (outcomes: ReadonlyArray<Outcome>) =>
  outcomes.map((outcome) => ("version" in outcome ? outcome.version : undefined))

export const readWholeStream = (streamId: StreamId.StreamId) =>
  Effect.gen(function* () {
    const log = yield* EventStore
    const all: Array<RecordedEvent> = []
    for (;;) {
      const page = yield* log.readStream(streamId, { after: all.length, limit: 500 })
      if (page.length === 0) return all
      all.push(...page)
    }
  })

/** Everything after a position, in pages that must follow each other without a gap. */
export const readFrom = (start: bigint, limit = 500) =>
  Effect.gen(function* () {
    const log = yield* EventStore
    const all: Array<RecordedEvent> = []
    let after = start
    for (;;) {
      const page = yield* log.readAll({ after, limit })
      if (page.length === 0) return all
      for (const recorded of page) {
        assert.strictEqual(recorded.position, after + 1n)
        after = recorded.position
      }
      all.push(...page)
    }
  })
