/**
 * Those who wait for an event of one stream, or about one customer, found by it: an event costs nothing for the others,
 * however many wait. No fibers, no clock: whoever reads the log calls `passed`.
 */
import { Effect } from "effect"
import type { RecordedEvent } from "../EventStore.ts"

/** If both are named, events are of interest that are both. */
export type Interest =
  | { readonly streamId: string; readonly customerId?: string | undefined }
  | { readonly streamId?: undefined; readonly customerId: string }

/** Called once, with the event that was found, or with the end of all. */
type Waiter = (found: RecordedEvent | Effect.Effect<never>) => void

type Index = Map<string, Set<Waiter>>

const find = (index: Index, key: string | undefined, event: RecordedEvent) => {
  const waiters = key === undefined ? undefined : index.get(key)
  if (waiters === undefined) return
  index.delete(key!)
  for (const waiter of waiters) waiter(event)
}

export const make = () => {
  const byStream: Index = new Map()
  const byCustomer: Index = new Map()

  return {
    /** The next events of the log. */
    passed: (events: ReadonlyArray<RecordedEvent>) => {
      if (byStream.size === 0 && byCustomer.size === 0) return
      for (const event of events) {
        find(byStream, event.streamId, event)
        find(byCustomer, event.metadata.customerId, event)
      }
    },
    /** There will be no more: everybody's wait ends with this. */
    end: (result: Effect.Effect<never>) => {
      for (const index of [byStream, byCustomer]) {
        const all = [...index.values()]
        index.clear()
        for (const waiters of all) for (const waiter of waiters) waiter(result)
      }
    },
    /** Waits from this very call on; what it gives back ends the wait. */
    enter: (interest: Interest, waiter: Waiter): (() => void) => {
      const [index, key] =
        interest.streamId === undefined ? [byCustomer, interest.customerId] : [byStream, interest.streamId]
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
