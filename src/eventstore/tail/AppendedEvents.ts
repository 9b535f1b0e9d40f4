/**
 * Hands the events that this process has appended to whoever follows the log here, so that nobody reads them from the
 * database. `LogSignal` and the store in memory use it; `LogTail` listens.
 *
 * Only what an append has accepted is handed on: the events of a duplicate may be those of a twin.
 */
import { type Array as Arr, Effect, PubSub } from "effect"
import type { EncodedEntry } from "../append/AppendStatement.ts"
import type { EventStore, Outcome, RecordedEvent } from "../EventStore.ts"

type OnAppended = NonNullable<EventStore["Service"]["onAppended"]>

export const make = (grown: PubSub.PubSub<void>) => {
  let session = 0
  const listeners = new Set<Parameters<OnAppended>[0]>()
  const onAppended: OnAppended = (listener) =>
    Effect.acquireRelease(
      Effect.sync(() => void listeners.add(listener)),
      () => Effect.sync(() => listeners.delete(listener))
    )
  return {
    onAppended,
    /** A connection was opened in place of a lost one, so what is appended from now on may be of another log. */
    reconnected: (): void => {
      session += 1
    },
    /** Hands events on; where nobody listens, publishes a hint instead. */
    publish: (events: Arr.NonEmptyReadonlyArray<RecordedEvent>, bytes: number): void => {
      if (listeners.size === 0) PubSub.publishUnsafe(grown, undefined)
      for (const listener of listeners) listener(events, bytes, session)
    }
  }
}

/** Makes the recorded events of the entries that one statement has accepted, whose positions follow each other. */
export const ofBatch = (entries: ReadonlyArray<EncodedEntry>, outcomes: ReadonlyArray<Outcome>) => {
  const events: Array<RecordedEvent> = []
  let bytes = 0
  for (const [index, encoded] of entries.entries()) {
    const outcome = outcomes[index]
    if (outcome?._tag !== "Accepted") continue
    bytes += encoded.bytes
    const { events: added, expected, metadata, streamId } = encoded.entry
    const { recordedAt } = outcome
    let position = outcome.position - BigInt(added.length)
    let version = expected
    for (const { data, eventId, schemaVersion, type } of added) {
      position += 1n
      version += 1
      events.push({ position, streamId, version, eventId, type, schemaVersion, data, metadata, recordedAt })
    }
  }
  return { events, bytes }
}
