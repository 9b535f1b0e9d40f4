/**
 * Suspends an id whose commands fail by defects: 5 defects within 30 s suspend it for 30 s, then one trial decides. (Circuit
 * breaker: Nygard, "Release It!".)
 *
 * Effect's `CircuitBreaker` counts consecutive failures or a rate per call; this one counts each defect once, however many
 * commands it fails, and decides without a yield.
 */
import { Exit, Option } from "effect"
import type { StreamId } from "../../eventstore/StreamId.ts"
import { isUnavailable } from "../CommandErrors.ts"

const threshold = 5
const window = 30_000

/** `now` is in milliseconds of the monotonic clock, else a step of the wall clock would suspend an id for an hour. */
export interface DefectBreaker {
  /** Answers the milliseconds until the id may be tried again, or 0. Admits one trial when the suspension is over. */
  admit(streamId: StreamId, now: number): number
  /** Counts one more defect; after too many of them, commands are refused for a while. */
  failed(streamId: StreamId, now: number): void
  /** Ends a suspension: a trial was answered by the domain. */
  succeeded(streamId: StreamId): void
  /** Forgets ids whose last defect is too old to count. */
  sweep(now: number): void
}

export const make = (): DefectBreaker => {
  const defects = new Map<StreamId, { times: Array<number>; openUntil: number }>()
  return {
    admit(streamId, now) {
      const record = defects.get(streamId)
      if (record === undefined || record.openUntil === 0) return 0
      if (now < record.openUntil) return record.openUntil - now
      record.openUntil = now + window
      return 0
    },
    failed(streamId, now) {
      const record = defects.get(streamId) ?? { times: [], openUntil: 0 }
      record.times = [...record.times.filter((time) => now - time < window), now]
      if (record.times.length >= threshold || record.openUntil > 0) record.openUntil = now + window
      defects.set(streamId, record)
    },
    // A success between defects does not excuse them: only a suspension ends with it.
    succeeded(streamId) {
      const record = defects.size > 0 ? defects.get(streamId) : undefined
      if (record !== undefined && record.openUntil > 0) defects.delete(streamId)
    },
    sweep(now) {
      for (const [streamId, { openUntil, times }] of defects) {
        if (now > openUntil + window && now - (times.at(-1) ?? 0) > window) defects.delete(streamId)
      }
    }
  }
}

/** True if the domain decided, be it by a rejection. */
export const isDecided = (exit: Exit.Exit<unknown, unknown>): boolean => {
  if (Exit.isSuccess(exit)) return true
  const error = Exit.findErrorOption(exit)
  return Option.isSome(error) && !isUnavailable(error.value)
}
