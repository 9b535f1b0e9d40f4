/** An order as the cache keeps it: the token of the snapshot that it was read from, its version, and its text. */
import { Result } from "effect"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"

export interface CachedOrder {
  /** The view was at this position when the order was read. */
  readonly made: ConsistencyToken.ConsistencyToken
  readonly version: number
  readonly text: string
}

export const write = (token: string, version: number, text: string): string => `${token} ${version} ${text}`

/** Gives `undefined` for what was not written so. */
export const read = (value: string): CachedOrder | undefined => {
  const first = value.indexOf(" ")
  const second = value.indexOf(" ", first + 1)
  if (first < 0 || second < 0) return undefined
  const made = Result.getOrUndefined(ConsistencyToken.parse(value.slice(0, first)))
  const version = Number(value.slice(first + 1, second))
  return made !== undefined && Number.isSafeInteger(version)
    ? { made, version, text: value.slice(second + 1) }
    : undefined
}
