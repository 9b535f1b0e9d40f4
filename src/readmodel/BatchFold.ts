/**
 * Applies a batch of events to a view that keeps an entry of each stream, some streams at a time: what is in memory at once
 * stays small however large entries are, and between two others have their turn in this process.
 */
import { Array as Arr, Effect } from "effect"
import type { SqlError } from "effect/sql"
import type { RecordedEvent } from "../eventlog/RecordedEvent.ts"
import type { Batch } from "../projection/Projection.ts"

const streamsAtOnce = 100

export interface View<Entry> {
  /** The stored entries of those of the streams that have one, by stream. */
  select(streamIds: ReadonlyArray<string>): Effect.Effect<Iterable<readonly [string, Entry]>, SqlError.SqlError>
  evolve(entry: Entry | undefined, event: RecordedEvent): Entry
  upsert(entries: ReadonlyArray<Entry>): Effect.Effect<unknown, SqlError.SqlError>
}

export const run = <Entry>({ evolve, select, upsert }: View<Entry>, events: Batch) => {
  const applySome = Effect.fnUntraced(function* (streams: ReadonlyArray<readonly [string, Batch]>) {
    const stored = new Map(yield* select(streams.map(([streamId]) => streamId)))
    yield* upsert(
      streams.map(([streamId, [first, ...rest]]) => rest.reduce(evolve, evolve(stored.get(streamId), first)))
    )
  })
  const streams = Object.entries(Arr.groupBy(events, (event) => event.streamId))
  return Effect.forEach(Arr.chunksOf(streams, streamsAtOnce), applySome, { discard: true })
}
