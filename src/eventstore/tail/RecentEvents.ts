/**
 * Keeps the newest events of the log in memory, in the pages in which they came, bounded in number and size.
 *
 * The events are contiguous: whoever adds a page has seen that it continues the last one. `LogEnd` adds them, and forgets
 * all events when the log was replaced.
 */
import type { Array as Arr } from "effect"
import type { RecordedEvent } from "../EventStore.ts"

/** The events of a page follow each other in the log without a gap. */
export type EventPage = Arr.NonEmptyReadonlyArray<RecordedEvent>

const maxEvents = 10_000
const maxBytes = 16 * 1024 * 1024

/**
 * Returns the first position that is not the one that must follow; `undefined` if the events continue `after` without a
 * gap.
 */
export const gapOf = (after: bigint, events: ReadonlyArray<RecordedEvent>): bigint | undefined =>
  events.find((event, index) => event.position !== after + BigInt(index) + 1n)?.position

export const make = () => {
  const pages: Array<{ readonly events: EventPage; readonly bytes: number }> = []
  let count = 0
  let size = 0

  return {
    /** Adds the page that follows, of about so many bytes; drops the oldest pages as long as there is too much. */
    add: (events: EventPage, bytes: number): void => {
      pages.push({ events, bytes })
      count += events.length
      size += bytes
      while (pages.length > 1 && (count > maxEvents || size > maxBytes)) {
        const oldest = pages.shift()!
        count -= oldest.events.length
        size -= oldest.bytes
      }
    },
    /**
     * Returns at most `limit` events after a position, taken from as many pages as needed; none if the next one is not
     * kept.
     */
    after: (position: bigint, limit: number): ReadonlyArray<RecordedEvent> => {
      const first = pages.findLastIndex(({ events }) => events[0].position <= position + 1n)
      if (first < 0) return []
      const skipped = Number(position + 1n - pages[first]!.events[0].position)
      const found = pages[first]!.events.slice(skipped, skipped + limit)
      for (let index = first + 1; index < pages.length && found.length < limit; index++) {
        found.push(...pages[index]!.events.slice(0, limit - found.length))
      }
      return found
    },
    clear: (): void => {
      pages.length = 0
      count = 0
      size = 0
    }
  }
}
