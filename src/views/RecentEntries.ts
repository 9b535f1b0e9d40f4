/**
 * The entries that a projection wrote last, by stream, so that the next event of a stream needs no look at its row. The
 * projection of a view has one of these for each connection, since a runner has a connection of its own for as long as
 * its transactions succeed.
 *
 * Invariant: what is kept is the fold of the log up to its version. So an entry that a rolled-back transaction left is of
 * no harm: its version is not the one before the next event, which is then applied to the row. Everything is forgotten
 * whenever the fold may have another beginning: after a failure, a repetition, a change of tables, or a skipped event.
 */
import type { Batch, Slot } from "../projection/Projection.ts"

/** About so much text of entries is kept; as objects they take a few times as much. */
const maxBytes = 4 * 1024 * 1024

interface Kept<Entry> {
  readonly entry: Entry
  readonly version: number
  readonly bytes: number
}

export interface RecentEntries<Entry> {
  /** Begins a batch for the table of this slot. */
  readonly begin: (slot: Slot, events: Batch) => void
  /** Gives the stream's entry if it is at this version. */
  readonly at: (streamId: string, version: number) => Entry | undefined
  readonly keep: (streamId: string, entry: Entry, version: number, bytes: number) => void
  readonly forget: () => void
}

export const make = <Entry>(most = maxBytes): RecentEntries<Entry> => {
  const entries = new Map<string, Kept<Entry>>()
  let bytes = 0
  let through = 0n
  let current: Slot | undefined

  const forget = () => {
    entries.clear()
    bytes = 0
  }
  const drop = (streamId: string) => {
    bytes -= entries.get(streamId)?.bytes ?? 0
    entries.delete(streamId)
  }

  return {
    begin: (slot, events) => {
      if (slot !== current || events[0].position <= through) forget()
      current = slot
      through = events[events.length - 1]!.position
    },
    at: (streamId, version) => {
      const kept = entries.get(streamId)
      return kept?.version === version ? kept.entry : undefined
    },
    keep: (streamId, entry, version, size) => {
      drop(streamId)
      entries.set(streamId, { entry, version, bytes: size })
      bytes += size
      for (const oldest of entries.keys()) {
        if (bytes <= most) return
        drop(oldest)
      }
    },
    forget
  }
}
