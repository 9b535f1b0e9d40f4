/**
 * What this process knows of the newest part of the log: which event is at each position, and which orders changed where. It has
 * no effects: `CachedOrderQueries` adds the pages of the log's tail in order, and clears it when the log went back.
 *
 * Of an event's id the last 48 bits are kept, which is what tokens are checked by.
 */
import type { EventPage } from "../eventstore/tail/RecentEvents.ts"
import { category, id } from "../eventstore/StreamId.ts"

export const make = (most: number) => {
  const ids = new Float64Array(most)
  const seen = new Float64Array(most)
  /** The last position at which each order changed, the order that changed longest ago first. */
  const changed = new Map<string, bigint>()
  let first = 0n
  let last = -1n

  const isKnown = (position: bigint) => position >= first && position <= last

  return {
    /** Adds events that follow those that were added before, and are seen at the time `now`, in milliseconds. */
    add: (events: EventPage, now: number): void => {
      if (last < 0n) first = events[0].position
      for (const { eventId, position, streamId } of events) {
        seen[Number(position % BigInt(most))] = now
        ids[Number(position % BigInt(most))] = parseInt(eventId.slice(-12), 16)
        last = position
        if (category(streamId) !== "order") continue
        changed.delete(id(streamId))
        changed.set(id(streamId), position)
      }
      if (last - first >= BigInt(most)) first = last - BigInt(most) + 1n
      for (const [orderId, position] of changed) {
        if (position >= first) break
        changed.delete(orderId)
      }
    },
    clear: (): void => {
      changed.clear()
      first = 0n
      last = -1n
    },
    /** The end of the id of the event at a position; `undefined` if it is not known here. */
    eventIdAt: (position: bigint): string | undefined =>
      isKnown(position) ? ids[Number(position % BigInt(most))]!.toString(16).padStart(12, "0") : undefined,
    /** Gives the milliseconds since the event at a position was seen here; 0 if it is not known. */
    ageOf: (position: bigint, now: number): number =>
      isKnown(position) ? Math.max(0, now - seen[Number(position % BigInt(most))]!) : 0,
    /** Tells whether the order is known to be the same at both positions, the first of which is not after the second. */
    isUnchanged: (orderId: string, from: bigint, to: bigint): boolean =>
      from === to || (isKnown(from) && isKnown(to) && (changed.get(orderId) ?? 0n) <= from),
    last: () => last
  }
}

export type RecentChanges = ReturnType<typeof make>
