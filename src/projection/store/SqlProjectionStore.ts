/** Keeps checkpoints, leases and parked streams in the database, in the transactions that write the rows of views. */
import type { PgClient } from "@effect/sql-pg"
import { Effect, Layer } from "effect"
import type { SqlClient, SqlError } from "effect/sql"
import { Database, withDedicatedConnection } from "../../database/Database.ts"
import * as Checkpoint from "../Checkpoint.ts"
import * as LogPoint from "../LogPoint.ts"
import * as ParkedRows from "../parking/ParkedRows.ts"
import { plainRow } from "../PlainRow.ts"
import { isSubscription, type Projection, type ProjectionKey, type Slot } from "../Projection.ts"
import * as RebuildRows from "../rebuild/RebuildRows.ts"
import * as Lease from "../run/Lease.ts"
import * as LogPages from "../run/LogPages.ts"
import { type ProjectionRow, type ProjectionSession, ProjectionStore } from "./ProjectionStore.ts"

/**
 * Moves the checkpoint of a consumer to a point of the log, inside the caller's transaction, and forgets the streams that
 * are parked behind that point, since they are delivered again. Whoever runs the consumer loses its race.
 */
const rewind = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  name: string,
  { eventId, position }: LogPoint.LogPoint
) {
  const key = { name, slot: "live" } as const
  if ((yield* Checkpoint.lock(sql, key)) === undefined) return
  yield* sql`DELETE FROM ordinal.parked_streams WHERE projection = ${name} AND slot = 'live' AND "position" > ${position}`
  yield* sql`UPDATE ordinal.checkpoints c
    SET "position" = ${position}, event_position = ${LogPoint.knownPosition({ eventId, position })}, event_id = ${eventId}::uuid,
      log_id = h.log_id,
      updated_at = clock_timestamp(), problem = NULL, parked = (
        SELECT count(*) FROM ordinal.parked_streams p WHERE p.projection = ${name} AND p.slot = 'live' AND p.parked
      )
    FROM ordinal.log_head h WHERE c.projection = ${name} AND c.slot = 'live'`
})

/** Compares rows that are kept elsewhere with the checkpoint, and begins anew if there are none of what it says. */
const fit = Effect.fnUntraced(function* (
  sql: SqlClient.SqlClient,
  { elsewhere, name, tables }: Projection,
  slot: Slot,
  checkpoint: Checkpoint.Stored
): Effect.fn.Return<void, Checkpoint.CheckpointMoved | Checkpoint.ProjectionStopped | SqlError.SqlError> {
  if (elsewhere === undefined) return
  const found = yield* elsewhere.compare(sql, slot, checkpoint)
  if (found === "fits") return
  if (found !== "gone") return yield* Checkpoint.rebuildDemanded(name, found.problem)
  if (slot === "shadow") return yield* Checkpoint.rebuildDemanded(name, "what this rebuild had made is gone")
  yield* Effect.logWarning("The rows of the view are gone, so they are made anew from the log.")
  yield* Effect.andThen(
    rewind(sql, name, { position: 0n, eventId: null }),
    tables?.create(sql, "live") ?? Effect.void
  ).pipe(sql.withTransaction)
  return yield* new Checkpoint.CheckpointMoved()
})

/** Makes the session of a connection; `isAlone` means that no other process can have a lease, whatever a row says. */
export const session = (sql: PgClient.PgClient, isAlone = false): ProjectionSession => ({
  transaction: (self) => sql.withTransaction(self),
  stored: (key) => Checkpoint.stored(sql, key),
  lock: (key) => Checkpoint.lock(sql, key),
  setUp: (consumer) => Checkpoint.setUp(sql, consumer),
  advance: (key, owner, from, to, options) => Checkpoint.advance(sql, key, owner, from, to, options),
  stop: (key, problem) => Checkpoint.stop(sql, key, problem),
  takeLease: (key, owner) => Lease.take(sql, key, owner, isAlone),
  renewLease: (key, owner) => Lease.take(sql, key, owner, false),
  releaseLease: (key, owner) => Lease.release(sql, key, owner),
  parked: {
    among: (key, streamIds) => ParkedRows.among(sql, key, streamIds),
    isSkipped: (name, event) => ParkedRows.isSkipped(sql, name, event),
    park: (key, culprit) => ParkedRows.park(sql, key, culprit),
    recordSkip: (key, culprit) => ParkedRows.recordSkip(sql, key, culprit),
    parkedAt: (name, streamId) => ParkedRows.parkedAt(sql, name, streamId),
    list: (id) => ParkedRows.list(sql, id),
    unknown: (name) => ParkedRows.unknown(sql, name),
    failsAt: (id, culprit) => ParkedRows.failsAt(sql, id, culprit),
    advance: (id, place) => ParkedRows.advance(sql, id, place),
    unpark: (parked) => ParkedRows.unpark(sql, parked)
  },
  ofStream: (streamId, from, upTo, limit) => LogPages.ofStream(sql, streamId, from, upTo, limit),
  nextOfOthers: (consumer, key, after, except) => LogPages.nextOfOthers(sql, consumer, key, after, except),
  apply: (projection, events, slot) => projection.handle(sql, events, slot),
  skip: (projection, event, slot) => projection.skip?.(sql, event, slot) ?? Effect.void,
  reached: ({ elsewhere }, slot, from, to) => elsewhere?.reached(sql, slot, from, to) ?? Effect.void,
  fit: (consumer, slot, checkpoint) => (isSubscription(consumer) ? Effect.void : fit(sql, consumer, slot, checkpoint)),
  requestRebuild: Effect.fnUntraced(function* (projection) {
    const isNew = yield* RebuildRows.requestVersion(sql, projection)
    // An older program that rebuilt the view made a table of its own shape.
    if (projection.tables?.complete !== undefined) yield* projection.tables.complete(sql)
    return isNew
  })
})

const selectRows = (sql: SqlClient.SqlClient, consumers: ReadonlyArray<ProjectionKey>) =>
  sql`
    SELECT asked.name, h."position" AS head, h.log_id AS "logId", c.log_id AS "checkpointLogId", c.version,
      ${sql.literal(Checkpoint.isOfHistory)} AS "isOfHistory",
      l."position", l.behind, l.lag, l.parked, c.updated_at AS "updatedAt", c.paused, c.problem,
      r.id::text AS "rebuildId", r.problem AS "rebuildProblem", r.state IS NOT DISTINCT FROM 'blocked' AS "isBlocked",
      EXISTS (
        SELECT FROM ordinal.rebuilds a
        WHERE a.projection = asked.name AND a.version = asked.version AND ${sql.literal(RebuildRows.isGivenUp)}
      ) AS "isGivenUp"
    FROM unnest(
      ${consumers.map(({ name }) => name)}::text[], ${consumers.map(({ version }) => version)}::integer[]
    ) AS asked (name, version)
    CROSS JOIN ordinal.log_head h
    CROSS JOIN LATERAL (${Checkpoint.lag(sql, { name: sql.literal("asked.name") })}) l
    LEFT JOIN ordinal.checkpoints c ON c.projection = asked.name AND c.slot = 'live'
    LEFT JOIN ordinal.rebuilds r ON r.projection = asked.name AND r.state IN ('running', 'paused', 'blocked')
    ORDER BY asked.name`.pipe(Effect.map((rows) => rows.map(plainRow<ProjectionRow>)))

/** A checkpoint of another log or history, or above the head, must not let anybody pass. */
export const selectPositions = (sql: SqlClient.SqlClient) =>
  sql<{ readonly projection: string; readonly position: bigint }>`
    SELECT c.projection, c."position" FROM ordinal.checkpoints c
    JOIN ordinal.log_head h ON h.log_id = c.log_id AND h."position" >= c."position"
    WHERE c.slot = 'live' AND ${sql.literal(Checkpoint.isOfHistory)} ORDER BY c.projection`

/** The embedded database blocks the event loop while it works. */
export const maxBatch = { postgres: 5_000, pglite: 500 }

const make = Effect.map(Database, ({ kind, projectionConnection, projections: sql, reads }) => {
  const sessionOf = (sql: PgClient.PgClient) => session(sql, kind === "pglite")
  return ProjectionStore.of({
    shared: sessionOf(sql),
    withSession: (use) => withDedicatedConnection(projectionConnection, (sql) => use(sessionOf(sql))),
    maxBatch: maxBatch[kind],
    positions: selectPositions(reads),
    rows: (consumers) => selectRows(sql, consumers),
    setPaused: (name, paused) =>
      sql`UPDATE ordinal.checkpoints SET paused = ${paused}, problem = CASE WHEN ${paused} THEN problem END
        WHERE projection = ${name} AND slot = 'live'`,
    rewind: (name, to) =>
      Effect.flatMap(LogPoint.find(sql, to), (point) => rewind(sql, name, point)).pipe(sql.withTransaction)
  })
})

export const layer = Layer.effect(ProjectionStore, make)
