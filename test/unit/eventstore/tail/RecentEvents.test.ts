import { assert, describe, it } from "@effect/vitest"
import type { RecordedEvent } from "../../../../src/eventstore/EventStore.ts"
import * as StreamId from "../../../../src/eventstore/StreamId.ts"
import * as RecentEvents from "../../../../src/eventstore/tail/RecentEvents.ts"

const recorded = (position: number): RecordedEvent => ({
  position: BigInt(position),
  streamId: StreamId.make("thing", String(position)),
  version: 1,
  eventId: crypto.randomUUID(),
  type: "Happened",
  schemaVersion: 1,
  data: {},
  metadata: { commandId: "", correlationId: "", causationId: "" },
  recordedAt: "2026-01-01T00:00:00.000Z"
})

const page = (first: number, count: number): RecentEvents.EventPage => [
  recorded(first),
  ...Array.from({ length: count - 1 }, (_, index) => recorded(first + 1 + index))
]

const positions = (events: ReadonlyArray<RecordedEvent>) => events.map(({ position }) => Number(position))

describe("RecentEvents", () => {
  it("returns what follows a position, across pages and up to a limit", () => {
    const recent = RecentEvents.make()
    for (const added of [page(11, 3), page(14, 1), page(15, 4)]) recent.add(added, 100)
    assert.deepStrictEqual(positions(recent.after(11n, 5)), [12, 13, 14, 15, 16])
    assert.deepStrictEqual(positions(recent.after(10n, 2)), [11, 12])
    assert.deepStrictEqual(positions(recent.after(16n, 500)), [17, 18])
    for (const position of [9n, 18n, 30n]) assert.deepStrictEqual(recent.after(position, 500), [])
  })

  it("drops the oldest pages when there are more than 10,000 events or 16 MiB, but keeps the last page", () => {
    const recent = RecentEvents.make()
    for (let first = 1; first <= 10_500; first += 500) recent.add(page(first, 500), 1_000)
    assert.deepStrictEqual(recent.after(499n, 1), [])
    assert.deepStrictEqual(positions(recent.after(500n, 1)), [501])
    recent.add(page(10_501, 2), 18 * 1024 * 1024)
    assert.deepStrictEqual(recent.after(10_499n, 1), [])
    assert.deepStrictEqual(positions(recent.after(10_500n, 5)), [10_501, 10_502])
    recent.clear()
    assert.deepStrictEqual(recent.after(10_500n, 5), [])
  })

  it("gapOf finds the first position that does not follow", () => {
    assert.isUndefined(RecentEvents.gapOf(4n, page(5, 3)))
    assert.strictEqual(RecentEvents.gapOf(3n, page(5, 3)), 5n)
    assert.strictEqual(RecentEvents.gapOf(4n, [...page(5, 3), ...page(9, 2)]), 9n)
  })
})
