/** The consistency tokens of views: of the token that a query was given, and of the one that its answer carries. */
import { Effect } from "effect"
import * as ConsistencyToken from "../consistency/ConsistencyToken.ts"
import type { TokenError } from "./ViewQuery.ts"

/**
 * Refuses a token that this log did not issue, and a view that is behind it: after a restore, a view may be further back
 * than this process remembers. `eventId` is the id of the event at the token's position.
 */
export const check = (
  token: ConsistencyToken.ConsistencyToken | undefined,
  logId: string,
  eventId: string | null | undefined,
  viewPosition: bigint
): Effect.Effect<void, TokenError> => {
  if (token === undefined) return Effect.void
  if (!ConsistencyToken.isOf(token, logId, eventId ?? undefined)) return Effect.fail(ConsistencyToken.refused(token))
  if (viewPosition >= token.position) return Effect.void
  const { position: required } = token
  return Effect.fail(new ConsistencyToken.ProjectionBehind({ required, current: viewPosition, retryAfter: 1 }))
}

/** Makes the token of a view's checkpoint. A checkpoint that is not of this log vouches for nothing. */
export const of = (logId: string, position: bigint, eventId: string | null | undefined): string =>
  ConsistencyToken.format(logId, eventId == null ? 0n : position, eventId ?? undefined)
