/** Keeps saved states, which shorten the replay of long streams. Deleting any of them changes nothing but time. */
import { Context, Effect, Layer } from "effect"
import type { StreamId } from "../eventstore/StreamId.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"

export interface Snapshot {
  readonly version: number
  /** Position of the event that led to `version`. */
  readonly position: bigint
  readonly recordedAt: string
  /** Names the state's schema and the fold that made it. A snapshot with another fingerprint is not for this program. */
  readonly fingerprint: string
  /** JSON. */
  readonly state: unknown
}

export class Snapshots extends Context.Service<
  Snapshots,
  {
    /** Finds the snapshot of a stream, if there is one. On failure the caller can replay the stream instead. */
    load(streamId: StreamId): Effect.Effect<Snapshot | undefined, DatabaseUnavailable>
    /** Keeps the snapshot unless there is one of a later version. On failure nothing is lost but time. */
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
