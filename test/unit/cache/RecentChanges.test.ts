import { assert, describe, it } from "vitest"
import type { RecordedEvent } from "../../../src/eventstore/EventStore.ts"
import * as RecentChanges from "../../../src/cache/RecentChanges.ts"

const at = (position: bigint, streamId: string) =>
  ({
    position,
    streamId,
    eventId: `01890000-0000-7000-8000-${position.toString(16).padStart(12, "0")}`
  }) as unknown as RecordedEvent

describe("recent changes", () => {
  it("tell of an order whether it changed between two positions that are known", () => {
    const changes = RecentChanges.make(100)
    assert.isFalse(changes.isUnchanged("a", 1n, 2n))
    changes.add([at(1n, "order-a"), at(2n, "product-a"), at(3n, "order-b")], 3_000)
    assert.isTrue(changes.isUnchanged("a", 1n, 3n))
    changes.add([at(4n, "order-a")], 4_000)
    assert.isFalse(changes.isUnchanged("a", 1n, 4n), "it changed at 4")
    assert.isTrue(changes.isUnchanged("a", 4n, 4n))
    assert.isTrue(changes.isUnchanged("b", 3n, 4n))
    assert.isFalse(changes.isUnchanged("b", 3n, 5n), "5 is not known yet")
    assert.isTrue(changes.isUnchanged("c", 1n, 4n))
    assert.strictEqual(changes.eventIdAt(3n), "000000000003")
    assert.isUndefined(changes.eventIdAt(5n))
    assert.strictEqual(changes.ageOf(4n, 10_000), 6_000)
    changes.clear()
    assert.isUndefined(changes.eventIdAt(3n))
  })

  it("know the newest part of the log only: what is older is not known to be unchanged", () => {
    const changes = RecentChanges.make(10)
    for (let position = 101n; position <= 200n; position++) changes.add([at(position, `order-${position % 15n}`)], 0)
    assert.isUndefined(changes.eventIdAt(190n))
    assert.strictEqual(changes.eventIdAt(191n), (191).toString(16).padStart(12, "0"))
    assert.isFalse(changes.isUnchanged("none", 190n, 200n))
    assert.isTrue(changes.isUnchanged("none", 191n, 200n))
    assert.isFalse(changes.isUnchanged(String(195n % 15n), 191n, 200n))
  })
})
