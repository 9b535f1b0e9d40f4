import { assert, describe, it } from "@effect/vitest"
import type { RecordedEvent } from "../../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../../src/eventstore/StreamId.ts"
import * as LogEnd from "../../../../src/eventstore/tail/LogEnd.ts"
import type { EventPage } from "../../../../src/eventstore/tail/RecentEvents.ts"

/** The event at a position of a log; another history has another event there. */
const recorded = (position: number, history = "first"): RecordedEvent => ({
  position: BigInt(position),
  streamId: StreamId.make("thing", String(position)),
  version: 1,
  eventId: `${history} ${position}`,
  type: "Happened",
  schemaVersion: 1,
  data: {},
  metadata: { commandId: "", correlationId: "", causationId: "" },
  recordedAt: "2026-01-01T00:00:00.000Z"
})

const page = (first: number, count: number, history?: string): EventPage => [
  recorded(first, history),
  ...Array.from({ length: count - 1 }, (_, index) => recorded(first + 1 + index, history))
]

/** A log that ends at position 10, and the positions that its readers were given. */
const logAt10 = () => {
  const given: Array<number> = []
  const log = LogEnd.make(10n, (events) => given.push(...events.map(({ position }) => Number(position))))
  return { log, given }
}

describe("LogEnd", () => {
  it("takes own events that continue the end, and needs no read for them", () => {
    const { given, log } = logAt10()
    assert.isTrue(log.offer(page(11, 2), 100))
    assert.isTrue(log.offer(page(13, 1), 100))
    assert.deepStrictEqual(given, [11, 12, 13])
    assert.deepStrictEqual(log.end(), { position: 13n, eventId: "first 13" })
    assert.deepStrictEqual(log.after(11n, 5), page(12, 2))
  })

  it("keeps own events that come before their predecessors, in whatever order, and asks for a read meanwhile", () => {
    const { given, log } = logAt10()
    assert.isFalse(log.offer(page(14, 2), 100))
    assert.isFalse(log.offer(page(12, 2), 100))
    assert.deepStrictEqual(given, [])
    assert.isTrue(log.offer(page(11, 1), 100))
    assert.deepStrictEqual(given, [11, 12, 13, 14, 15])
  })

  it("fills the gap before own events with what another process has appended", () => {
    const { given, log } = logAt10()
    assert.isFalse(log.offer(page(13, 2), 100))
    // The page begins with the event at the end, and was read before the last one was stored.
    log.read(page(10, 4))
    assert.deepStrictEqual(given, [11, 12, 13, 14])
  })

  it("drops own events that are too far ahead, which a read then brings", () => {
    const { given, log } = logAt10()
    for (let position = 12; position < 40; position++) assert.isFalse(log.offer(page(position, 1), 100))
    log.read(page(11, 1))
    assert.strictEqual(given.length, 17)
    log.read(page(27, 13))
    assert.deepStrictEqual(
      given,
      Array.from({ length: 29 }, (_, index) => 11 + index)
    )
  })

  it("leaves out of a page what own events have brought while it was read", () => {
    const { given, log } = logAt10()
    assert.isTrue(log.offer(page(11, 3), 100))
    log.read(page(10, 3))
    log.read(page(10, 6))
    assert.deepStrictEqual(given, [11, 12, 13, 14, 15])
    assert.isFalse(log.wentBack())
  })

  it("knows own events that a read has brought before", () => {
    const { given, log } = logAt10()
    log.read(page(10, 5))
    assert.isTrue(log.offer(page(12, 2), 100))
    assert.deepStrictEqual(given, [11, 12, 13, 14])
  })

  it("takes another event at a known position for a log that went back, never for one that is known already", () => {
    const { given, log } = logAt10()
    log.read(page(10, 5))
    assert.isFalse(log.offer(page(12, 2, "second"), 100))
    assert.isTrue(log.wentBack())
    // Nothing of either history is handed on any more.
    assert.isFalse(log.offer(page(15, 1), 100))
    assert.deepStrictEqual(given, [11, 12, 13, 14])
    log.replace(13n)
    assert.isTrue(log.offer(page(14, 1, "second"), 100))
    assert.deepStrictEqual(log.after(10n, 5), [])
    assert.deepStrictEqual(log.after(13n, 5), page(14, 1, "second"))
  })

  it("finds another event in a page that was read, and in one that reaches beyond the end", () => {
    for (const count of [2, 8]) {
      const { log } = logAt10()
      log.offer(page(11, 3), 100)
      log.read(page(12, count, "second"))
      assert.isTrue(log.wentBack())
      assert.strictEqual(log.end().position, 13n)
    }
  })

  it("asks for a read where it can't compare: nothing is known of such an old position", () => {
    const { log } = logAt10()
    assert.isFalse(log.offer(page(3, 2, "second"), 100))
    assert.isFalse(log.wentBack())
  })
})
