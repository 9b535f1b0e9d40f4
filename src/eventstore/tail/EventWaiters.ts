/**
 * Finds those who wait for an event of one stream, or of one owner's streams, by that stream or owner: however many wait,
 * an event costs nothing for the others.
 *
 * It has no fibers and no clock: the tail, which reads the log, calls `notify`.
 */
import { Effect } from "effect"
import type { RecordedEvent } from "../EventStore.ts"

/** Names the stream of an event, or the owner whose data its stream holds. If both are named, the stream alone decides who is woken. */
export type StreamOrOwner =
  | { readonly streamId: string; readonly owner?: string | undefined }
  | { readonly streamId?: undefined; readonly owner: string }

/** Is called once: with the event that was found, or with the effect that ends every wait. */
type Waiter = (found: RecordedEvent | Effect.Effect<never>) => void

const streamKey = (streamId: string) => `stream ${streamId}`
const ownerKey = (owner: string) => `owner ${owner}`

export const make = () => {
  const waitersOf = new Map<string, Set<Waiter>>()

  const wake = (key: string, found: RecordedEvent | Effect.Effect<never>) => {
    const waiters = waitersOf.get(key)
    if (waiters === undefined) return
    waitersOf.delete(key)
    for (const waiter of waiters) waiter(found)
  }

  return {
    /** Wakes those who wait for one of these events, which are the next ones of the log. */
    notify: (events: ReadonlyArray<RecordedEvent>) => {
      if (waitersOf.size === 0) return
      for (const event of events) {
        wake(streamKey(event.streamId), event)
        if (event.metadata.customerId !== undefined) wake(ownerKey(event.metadata.customerId), event)
      }
    },
    /** Ends everybody's wait with `result`, because no event of this log will follow. */
    end: (result: Effect.Effect<never>) => {
      for (const key of Array.from(waitersOf.keys())) wake(key, result)
    },
    /** Waits from this very call on. The function that it returns ends the wait. */
    add: (wanted: StreamOrOwner, waiter: Waiter): (() => void) => {
      const key = wanted.streamId === undefined ? ownerKey(wanted.owner) : streamKey(wanted.streamId)
      const waiters = waitersOf.get(key) ?? new Set()
      waitersOf.set(key, waiters.add(waiter))
      return () => {
        const left = waitersOf.get(key)
        if (left?.delete(waiter) === true && left.size === 0) waitersOf.delete(key)
      }
    }
  }
}
