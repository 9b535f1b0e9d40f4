/** Tests which entries `EventStore.append` accepts, and which outcome the others get. */
import { assert } from "@effect/vitest"
import { Effect } from "effect"
import { EventStore } from "../eventstore/EventStore.ts"
import { append, entry, equal, event, newStream, readWholeStream, tags, uuid, versions } from "./EventStoreEntries.ts"

/** Each case has the sentence as its key that it proves. */
export const appendCases: Record<string, Effect.Effect<unknown, unknown, EventStore>> = {
  "accepts entries chained on each other": Effect.gen(function* () {
    const stream = newStream()
    const outcomes = yield* append(entry(stream, 0), entry(stream, 1, { events: 2 }), entry(stream, 3, { events: 0 }))
    equal(tags(outcomes), ["Accepted", "Accepted", "Accepted"])
    equal(versions(outcomes), [1, 3, 3])
    const recorded = yield* readWholeStream(stream)
    equal(
      recorded.map(({ version }) => version),
      [1, 2, 3]
    )
  }),

  "stores an event as it was given": Effect.gen(function* () {
    const stream = newStream()
    const given = entry(stream, 0, { events: [event({ text: 'déjà\n"vu" 🎉', n: 1.5, deep: { list: [1, null] } })] })
    const [outcome] = yield* append(given)
    const [recorded] = yield* readWholeStream(stream)
    assert.isDefined(recorded)
    equal(recorded, {
      ...given.events[0]!,
      streamId: stream,
      version: 1,
      metadata: given.metadata,
      position: recorded.position,
      recordedAt: recorded.recordedAt
    })
    equal(outcome, {
      _tag: "Accepted",
      version: 1,
      position: recorded.position,
      recordedAt: recorded.recordedAt
    })
  }),

  "gives entries chained on a conflict a conflict": Effect.gen(function* () {
    const stream = newStream()
    yield* append(entry(stream, 0))
    const outcomes = yield* append(entry(stream, 0, { events: 2 }), entry(stream, 2), entry(stream, 1))
    equal(tags(outcomes), ["Conflict", "Conflict", "Conflict"])
    equal(versions(outcomes), [1, 1, 1])
    assert.lengthOf(yield* readWholeStream(stream), 1)
  }),

  "gives an entry chained on a duplicate a conflict": Effect.gen(function* () {
    const stream = newStream()
    const first = entry(stream, 0)
    yield* append(first)
    equal(tags(yield* append(first, entry(stream, 1))), ["Duplicate", "Conflict"])
  }),

  "recognises an unkeyed command by its first event, where it would be in the stream": Effect.gen(function* () {
    const stream = newStream()
    for (const first of [entry(stream, 0, { events: 3 }), entry(stream, 3, { events: 2 })]) {
      const [stored] = yield* append(first)
      for (const again of [yield* append(first), yield* append(first, first)]) {
        for (const outcome of again) equal(outcome, { ...stored!, _tag: "Duplicate" })
      }
      equal(tags(yield* append({ ...first, expected: 9 })), ["Conflict"])
    }
    assert.lengthOf(yield* readWholeStream(stream), 5)
  }),

  "recognises a keyed command by its id, also one without events": Effect.gen(function* () {
    const store = yield* EventStore
    const stream = newStream()
    yield* append(entry(stream, 0))
    for (const events of [0, 2]) {
      const commandId = uuid()
      const options = { commandId, fingerprint: "a", events }
      const [stored] = yield* append(entry(stream, 1, options))
      if (stored?._tag !== "Accepted") return assert.fail("not accepted")
      for (const expected of [1, stored.version, 7]) {
        const again = yield* append(entry(stream, expected, options))
        equal(again, [{ ...stored, _tag: "Duplicate", receipt: { of: commandId } }])
      }
      equal(tags(yield* append(entry(stream, 1, { ...options, fingerprint: "b" }))), ["Reused"])
      const { _tag, ...outcome } = stored
      equal(yield* store.findCommand(commandId), {
        commandId,
        fingerprint: "a",
        streamId: stream,
        receipt: { of: commandId },
        ...outcome
      })
    }
    assert.isUndefined(yield* store.findCommand(uuid()))
  }),

  "recognises the same command twice in one append": Effect.gen(function* () {
    const [stream, other] = [newStream(), newStream()]
    const commandId = uuid()
    const outcomes = yield* append(
      entry(stream, 0, { commandId, fingerprint: "a" }),
      entry(other, 0, { commandId, fingerprint: "a" }),
      entry(stream, 1, { commandId, fingerprint: "b" })
    )
    equal(tags(outcomes), ["Accepted", "Duplicate", "Reused"])
    equal(outcomes[1], { ...outcomes[0]!, _tag: "Duplicate", receipt: { of: commandId } })
    const unkeyed = entry(other, 0)
    equal(tags(yield* append(unkeyed, unkeyed)), ["Accepted", "Duplicate"])
  }),

  "does not remember a command that was not accepted": Effect.gen(function* () {
    const stream = newStream()
    const options = { commandId: uuid(), fingerprint: "a" }
    const outcomes = yield* append(entry(stream, 4, options), entry(stream, 0, options))
    equal(tags(outcomes), ["Conflict", "Conflict"])
    equal(tags(yield* append(entry(stream, 0, options))), ["Accepted"])
  }),

  "accepts one entry per expected version": Effect.gen(function* () {
    const stream = newStream()
    equal(tags(yield* append(entry(stream, 0), entry(stream, 0))), ["Accepted", "Conflict"])
  }),

  "accepts entries without events at the right version only": Effect.gen(function* () {
    const stream = newStream()
    const [none] = yield* append(entry(stream, 0, { events: 0 }))
    assert.strictEqual(none?._tag === "Accepted" ? none.position : undefined, 0n)
    const outcomes = yield* append(entry(stream, 0, { events: 2 }), entry(stream, 2, { events: 0 }))
    equal(outcomes[1], outcomes[0])
    equal(tags(yield* append(entry(stream, 1, { events: 0 }))), ["Conflict"])
  }),

  "stores 499 of 500 entries when one conflicts": Effect.gen(function* () {
    const entries = Array.from({ length: 500 }, (_, index) => entry(newStream(), index === 250 ? 1 : 0))
    const outcomes = yield* append(...entries)
    equal(
      tags(outcomes),
      entries.map((_, index) => (index === 250 ? "Conflict" : "Accepted"))
    )
  }),

  "refuses the entry whose data can't be stored, and fails only what is chained on it": Effect.gen(function* () {
    const [stream, bad] = [newStream(), newStream()]
    const together = yield* append(
      entry(stream, 0),
      entry(bad, 0, { events: [event({ text: "\u0000" })] }),
      entry(bad, 1),
      entry(bad, 0),
      entry(stream, 1)
    )
    equal(tags(together), ["Accepted", "Refused", "Conflict", "Conflict", "Accepted"])
    const apart = yield* Effect.all(
      [
        append(entry(bad, 0, { events: [event({ text: "\ud800" })] })),
        append(entry(stream, 2)),
        append(entry(newStream(), 0))
      ],
      { concurrency: "unbounded" }
    )
    equal(apart.map(tags), [["Refused"], ["Accepted"], ["Accepted"]])
    equal(tags(yield* append(entry(bad, 0))), ["Accepted"])
  }),

  "answers entries that are appended again with their first outcome": Effect.gen(function* () {
    const streams = Array.from({ length: 20 }, newStream)
    const batch = streams.flatMap((stream, index) => [
      entry(stream, 0, { events: 2, ...(index % 2 === 0 ? { fingerprint: "a" } : {}) }),
      entry(stream, 2)
    ])
    const first = yield* append(...batch)
    const again = yield* append(...batch)
    equal(new Set(tags(first)), new Set(["Accepted"]))
    equal(
      again.map((outcome) =>
        outcome._tag === "Duplicate" ? [outcome.version, outcome.position, outcome.recordedAt] : outcome
      ),
      first.map((outcome) =>
        outcome._tag === "Accepted" ? [outcome.version, outcome.position, outcome.recordedAt] : outcome
      )
    )
    for (const stream of streams) assert.lengthOf(yield* readWholeStream(stream), 3)
  })
}
