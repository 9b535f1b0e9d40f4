/**
 * Saved states, to shorten the replay of long streams. Never needed: deleting any or all of them changes nothing but time.
 */
import { Context, Effect, Layer } from "effect"
import type { StreamId } from "../eventstore/StreamId.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"

export interface Snapshot {
  readonly version: number
  /** Position of the event that led to `version`. */
  readonly position: bigint
  readonly recordedAt: string
  /** Of the state's schema and the fold that made it. Another one: the snapshot is not for this program. */
  readonly fingerprint: string
  /** JSON. */
  readonly state: unknown
}

export class Snapshots extends Context.Service<
  Snapshots,
  {
    load(streamId: StreamId): Effect.Effect<Snapshot | undefined, DatabaseUnavailable>
    /** Keeps it unless there is one of a later version. */
    save(streamId: StreamId, snapshot: Snapshot): Effect.Effect<void, DatabaseUnavailable>
  }
>()("ordinal/aggregate/Snapshots") {
  static readonly layerMemory: Layer.Layer<Snapshots> = Layer.sync(Snapshots, () => {
    const snapshots = new Map<StreamId, Snapshot>()
    return Snapshots.of({
      load: (streamId) => Effect.sync(() => snapshots.get(streamId)),
      save: (streamId, snapshot) =>
        Effect.sync(() => {
          const kept = snapshots.get(streamId)
          if (kept === undefined || kept.version < snapshot.version) snapshots.set(streamId, snapshot)
        })
    })
  })
}
