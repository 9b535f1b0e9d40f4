/**
 * Those who wait for an event of one stream, or about one customer, found by it: an event costs nothing for the others,
 * however many wait. No fibers, no clock: whoever reads the log calls `passed`.
 */
import { Deferred, Effect } from "effect"
import type { RecordedEvent } from "./RecordedEvent.ts"

/** If both are named, events are of interest that are both. */
export type Interest =
  | { readonly streamId: string; readonly customerId?: string | undefined }
  | { readonly streamId?: undefined; readonly customerId: string }

interface Waiter {
  readonly found: Deferred.Deferred<void>
  /** Of the event that was found. */
  position?: bigint
}

type Index = Map<string, Set<Waiter>>

const find = (index: Index, key: string | undefined, event: RecordedEvent) => {
  const waiters = key === undefined ? undefined : index.get(key)
  if (waiters === undefined) return
  index.delete(key!)
  for (const waiter of waiters) {
    waiter.position = event.position
    Deferred.doneUnsafe(waiter.found, Effect.void)
  }
}

export const make = () => {
  const byStream: Index = new Map()
  const byCustomer: Index = new Map()

  const enter = (index: Index, key: string, waiter: Waiter) => {
    const others = index.get(key)
    if (others === undefined) index.set(key, new Set([waiter]))
    else others.add(waiter)
  }
  const leave = (index: Index, key: string, waiter: Waiter) => {
    const others = index.get(key)
    if (others?.delete(waiter) === true && others.size === 0) index.delete(key)
  }

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
        for (const waiters of index.values()) {
          for (const { found } of waiters) Deferred.doneUnsafe(found, result)
        }
        index.clear()
      }
    },
    /** Waits for an event; the position of it, also for `onEnd`, or undefined if none has passed. */
    awaitEvent: (interest: Interest, onEnd: (position: bigint | undefined) => void) =>
      Effect.suspend(() => {
        const waiter: Waiter = { found: Deferred.makeUnsafe() }
        const [index, key] =
          interest.streamId === undefined ? [byCustomer, interest.customerId] : [byStream, interest.streamId]
        enter(index, key, waiter)
        return Effect.ensuring(
          Deferred.await(waiter.found),
          Effect.sync(() => {
            leave(index, key, waiter)
            onEnd(waiter.position)
          })
        )
      })
  }
}
