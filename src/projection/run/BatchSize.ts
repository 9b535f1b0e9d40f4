/**
 * Limits how many events a projection applies in one transaction. After a transaction that ran out of time, the next
 * has half as many events, down to one; after that there are slowly more again.
 *
 * A large transaction that takes long holds the checkpoint's lock against an operator's pause, retry or swap, which
 * waits 2 s for it and no longer, so the next one is smaller too.
 */
import { type Batch, type Consumer, handles, isSubscription } from "../Projection.ts"

/** Counts the first events that go in one batch: at most `max`, and of a subscription's as many as it takes at once. */
export const cut = (consumer: Consumer, events: Batch, max: number): number => {
  if (!isSubscription(consumer)) return max
  let [taken, bytes] = [0, 0]
  for (const [index, event] of events.entries()) {
    if (index === max) return index
    if (!handles(consumer, event)) continue
    bytes += JSON.stringify(event.data).length
    if (taken > 0 && (taken === consumer.maxEvents || bytes > consumer.maxBytes)) return index
    taken++
  }
  return events.length
}

export interface BatchSize {
  readonly max: number
  readonly current: () => number
  /** Reports that a transaction of so many events ran out of time. */
  readonly tooSlow: (events: number) => void
  /** Reports that a transaction of so many events was committed, and how long it took. */
  readonly applied: (events: number, millis: number) => void
}

const longMillis = 1_000
/** A smaller transaction that takes long does so because of the database, however few events it has. */
const largeSize = 500

export const make = (max: number): BatchSize => {
  let current = max
  return {
    max,
    current: () => current,
    tooSlow: (events) => {
      current = Math.max(1, Math.min(current, events >> 1))
    },
    // It grows by 5 %, so that transactions that are too large again do not take up most of the time.
    applied: (events, millis) => {
      if (millis > longMillis && events > largeSize) current = Math.max(largeSize, Math.min(current, events >> 1))
      else if (events >= current) current = Math.min(max, current + Math.ceil(current / 20))
    }
  }
}
