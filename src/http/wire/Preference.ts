/** `Prefer: wait=N` (RFC 7240): how many seconds the caller would wait for the view. What can't be read is not preferred. */
import { Duration } from "effect"
import * as ConsistencyToken from "../../projection/consistency/ConsistencyToken.ts"

export const maxWait = Duration.toSeconds(ConsistencyToken.longestWait)

export const wait = (prefer: string | undefined): number | undefined => {
  if (prefer === undefined) return undefined
  for (const preference of prefer.split(",")) {
    const match = /^\s*wait\s*=\s*"?([0-9]{1,9})"?\s*(?:;|$)/i.exec(preference)
    if (match !== null) return Math.min(Number(match[1]), maxWait)
  }
  return undefined
}

export const applied = (seconds: number): string => `wait=${seconds}`
