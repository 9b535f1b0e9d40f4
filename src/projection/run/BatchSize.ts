/**
 * How many events a projection applies in one transaction. One that ran out of time is not tried again as it was: the
 * next has half as many events, down to one; after that there are slowly more again.
 *
 * A large one that takes long holds the checkpoint's lock against whoever would pause, retry or swap, who waits 2 s for
 * it and no longer, so the next is smaller too.
 */
import type { Database } from "../../database/Database.ts"

export interface BatchSize {
  readonly most: number
  readonly current: () => number
  /** So many did not get through in time. */
  readonly tooSlow: (events: number) => void
  /** So many did, in so many milliseconds. */
  readonly applied: (events: number, millis: number) => void
}

/** The embedded database blocks the event loop while it works. */
const limits = { postgres: 5_000, pglite: 500 }

const long = 1_000
/** Smaller ones take long because the database does, however few events they have. */
const large = 500

export const make = (kind: Database["Service"]["kind"]): BatchSize => {
  const most = limits[kind]
  let current = most
  return {
    most,
    current: () => current,
    tooSlow: (events) => {
      current = Math.max(1, Math.min(current, events >> 1))
    },
    // By 5 %, so that those that are too large again do not take up most of the time.
    applied: (events, millis) => {
      if (millis > long && events > large) current = Math.max(large, Math.min(current, events >> 1))
      else if (events >= current) current = Math.min(most, current + Math.ceil(current / 20))
    }
  }
}
