/** A point of the log where a subscription starts, or goes on after an operator has moved it. */
import { Effect } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import * as ConsistencyToken from "./consistency/ConsistencyToken.ts"
import type { Start } from "./Projection.ts"

/** A position of the log, with the id of the event there; null at position 0. */
export interface LogPoint {
  readonly position: bigint
  readonly eventId: string | null
}

/** Tells of which position the id of an event is known. */
export const knownPosition = (at: LogPoint | undefined) =>
  at === undefined || at.eventId === null ? null : at.position

/** Finds where a subscription starts. Fails with `InvalidToken` if this log did not issue the token. */
export const find = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  start: Start
): Effect.fn.Return<LogPoint, ConsistencyToken.InvalidToken | SqlError.SqlError> {
  if (start === "start") return { position: 0n, eventId: null }
  const token = start === "end" ? undefined : yield* Effect.fromResult(ConsistencyToken.parse(start))
  const [point] = yield* sql<LogPoint & { readonly logId: string }>`
    SELECT h.log_id AS "logId", a."position", e.event_id AS "eventId"
    FROM ordinal.log_head h
    CROSS JOIN LATERAL (SELECT coalesce(${token?.position ?? null}::bigint, h."position") AS "position") a
    LEFT JOIN ordinal.events e ON e."position" = a."position"`
  if (point === undefined) return yield* Effect.die(new Error("The log has no head; its schema is damaged."))
  const { eventId, logId, position } = point
  if (token !== undefined && !ConsistencyToken.isOf(token, logId, eventId ?? undefined)) {
    return yield* ConsistencyToken.refused(token)
  }
  return { position, eventId }
})
