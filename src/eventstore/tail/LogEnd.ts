/**
 * The end of the log as this process knows it: the last position, the id of the event there, and the newest events.
 *
 * Events come as pages that were read and as this process's own appends (`offer`), and are taken only where they
 * continue the end without a gap. An event at a known position with another id means that the log went back: it is
 * never "known already". This file has no effects: `LogTail` reads the log and compares the last id with it.
 */
import { Array as Arr, Order } from "effect"
import * as EventRow from "../EventRow.ts"
import * as RecentEvents from "./RecentEvents.ts"

type EventPage = RecentEvents.EventPage

/** Answers of concurrent appends come a little out of order: at most so many wait for the ones before them. */
const maxAhead = 16

/** Tells where an event is, and which one it is, if that is known. */
export interface Point {
  readonly position: bigint
  readonly eventId: string | undefined
}

/** Takes the last position, and `extended`, which is called with events in their order as soon as they continue it. */
export const make = (start: bigint, extended: (events: EventPage) => void) => {
  const recent = RecentEvents.make()
  let end: Point = { position: start, eventId: undefined }
  let wentBack = false
  /** Own appends that are ahead of the end, the lowest position first. */
  let ahead: ReadonlyArray<readonly [events: EventPage, bytes: number]> = []

  const idAt = (position: bigint): string | undefined =>
    position === end.position ? end.eventId : recent.after(position - 1n, 1)[0]?.eventId

  /** Takes what is new of events that begin at the end's next position or before. */
  const take = (events: EventPage, bytes: number): void => {
    const known = Math.min(events.length, Number(end.position + 1n - events[0].position))
    for (const { eventId, position } of events.slice(0, known)) {
      if ((idAt(position) ?? eventId) !== eventId) wentBack = true
    }
    const added = events.slice(known)
    const same = events[known - 1]
    if (same?.position === end.position) end = same
    if (wentBack || !Arr.isReadonlyArrayNonEmpty(added)) return
    recent.add(added, (bytes * added.length) / events.length)
    const { eventId, position } = added[added.length - 1]!
    end = { position, eventId }
    extended(added)
  }

  const takeAhead = (): void => {
    for (let first = ahead[0]; first !== undefined && first[0][0].position <= end.position + 1n; first = ahead[0]) {
      ahead = ahead.slice(1)
      take(...first)
    }
  }

  return {
    end: (): Point => end,
    /** Tells whether events contradict each other, so that `replace` must be called. */
    wentBack: () => wentBack,
    /** Returns events as `RecentEvents` does. */
    after: recent.after,
    /** Takes own events; false if the log has to be read, for what is missing before them or since it may have gone back. */
    offer: (events: EventPage, bytes: number): boolean => {
      if (events[0].position > end.position + 1n) {
        if (ahead.length < maxAhead) {
          ahead = Arr.sortWith([...ahead, [events, bytes] as const], ([[first]]) => first.position, Order.BigInt)
        }
        return false
      }
      take(events, bytes)
      takeAhead()
      const { eventId, position } = events[events.length - 1]!
      return ahead.length === 0 && !wentBack && idAt(position) === eventId
    },
    /** Takes a page that was read, and what it lacks of the own events that are ahead of it. */
    read: (events: EventPage): void => {
      take(events, EventRow.bytesOf(events))
      takeAhead()
    },
    /** Forgets everything, since the log was replaced and ends at `position` now. */
    replace: (position: bigint): void => {
      recent.clear()
      ahead = []
      wentBack = false
      end = { position, eventId: undefined }
    }
  }
}
