/** Suspends an id whose commands fail by a defect: 5 within 30 s rest it for 30 s, then one trial decides. */
import { Exit, Option } from "effect"
import type { StreamId } from "../../eventstore/StreamId.ts"
import { isUnavailable } from "../CommandErrors.ts"

const threshold = 5
const window = 30_000

export interface DefectBreaker {
  /** Milliseconds until the id may be tried again; 0 = go ahead. Admits one trial when the rest is over. */
  admit(streamId: StreamId, now: number): number
  failed(streamId: StreamId, now: number): void
  succeeded(streamId: StreamId): void
  /** Drops what no longer matters. */
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
    // Ends a rest, but does not excuse the defects between which it came.
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

/** The domain was asked and gave an answer, be it a refusal. */
export const isJudged = (exit: Exit.Exit<unknown, unknown>): boolean => {
  if (Exit.isSuccess(exit)) return true
  const error = Exit.findErrorOption(exit)
  return Option.isSome(error) && !isUnavailable(error.value)
}
