/** Keeps snapshots in the database of the log, one row per stream. Only `save` writes, and never an older version. */
import { Effect, Layer } from "effect"
import { Database } from "../database/Database.ts"
import { orUnavailable, withinSeconds } from "../database/SqlFailure.ts"
import { type Snapshot, Snapshots } from "./Snapshots.ts"

export const layer = Layer.effect(
  Snapshots,
  Effect.gen(function* () {
    const { reads: sql } = yield* Database
    return Snapshots.of({
      load: (streamId) =>
        sql<Omit<Snapshot, "recordedAt"> & { readonly recordedAt: Date }>`
          SELECT version, "position", recorded_at AS "recordedAt", fingerprint, state
          FROM ordinal.snapshots WHERE stream_id = ${streamId}`.pipe(
          Effect.map(([row]) => row && { ...row, recordedAt: row.recordedAt.toISOString() }),
          orUnavailable,
          withinSeconds(6)
        ),
      save: (streamId, { fingerprint, position, recordedAt, state, version }) =>
        sql`SELECT ordinal.keep_snapshot(
            ${streamId}::text, ${version}::integer, ${position}::bigint, ${recordedAt}::text::timestamptz,
            ${fingerprint}::text, ${JSON.stringify(state)}::text::json
          )`.pipe(Effect.asVoid, orUnavailable, withinSeconds(6))
    })
  })
)
