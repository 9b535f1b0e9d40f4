/**
 * Finds those who wait for an event of one stream, or of one customer, by that stream or customer: however many wait,
 * an event costs nothing for the others.
 *
 * It has no fibers and no clock: the tail, which reads the log, calls `notify`.
 */
import { Effect } from "effect"
import type { RecordedEvent } from "../EventStore.ts"

/** Names the stream or the customer of an event. If both are named, the stream alone decides who is woken. */
export type StreamOrCustomer =
  | { readonly streamId: string; readonly customerId?: string | undefined }
  | { readonly streamId?: undefined; readonly customerId: string }

/** Is called once: with the event that was found, or with the effect that ends every wait. */
type Waiter = (found: RecordedEvent | Effect.Effect<never>) => void

type Index = Map<string, Set<Waiter>>

const notifyOf = (index: Index, key: string | undefined, event: RecordedEvent) => {
  const waiters = key === undefined ? undefined : index.get(key)
  if (waiters === undefined) return
  index.delete(key!)
  for (const waiter of waiters) waiter(event)
}

export const make = () => {
  const byStream: Index = new Map()
  const byCustomer: Index = new Map()

  return {
    /** Wakes those who wait for one of these events, which are the next ones of the log. */
    notify: (events: ReadonlyArray<RecordedEvent>) => {
      if (byStream.size === 0 && byCustomer.size === 0) return
      for (const event of events) {
        notifyOf(byStream, event.streamId, event)
        notifyOf(byCustomer, event.metadata.customerId, event)
      }
    },
    /** Ends everybody's wait with `result`, because no event of this log will follow. */
    end: (result: Effect.Effect<never>) => {
      for (const index of [byStream, byCustomer]) {
        const all = [...index.values()]
        index.clear()
        for (const waiters of all) for (const waiter of waiters) waiter(result)
      }
    },
    /** Waits from this very call on. The function that it returns ends the wait. */
    add: (wanted: StreamOrCustomer, waiter: Waiter): (() => void) => {
      const [index, key] = wanted.streamId === undefined ? [byCustomer, wanted.customerId] : [byStream, wanted.streamId]
      const others = index.get(key)
      if (others === undefined) index.set(key, new Set([waiter]))
      else others.add(waiter)
      return () => {
        const left = index.get(key)
        if (left?.delete(waiter) === true && left.size === 0) index.delete(key)
      }
    }
  }
}
