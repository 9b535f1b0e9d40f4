/** The fold of a batch of events onto what is stored, for views that keep an entry of each stream. */
import { Effect } from "effect"
import type { RecordedEvent } from "../eventlog/RecordedEvent.ts"

/** Some milliseconds of work; after so many events whoever else has something to do in this process has its turn. */
const slice = 500

/** Changes `entries`, by stream. */
export const run = Effect.fnUntraced(function* <Entry>(
  entries: Map<string, Entry>,
  events: ReadonlyArray<RecordedEvent>,
  evolve: (entry: Entry | undefined, event: RecordedEvent) => Entry
) {
  for (const [index, event] of events.entries()) {
    if (index > 0 && index % slice === 0) yield* Effect.yieldNow
    entries.set(event.streamId, evolve(entries.get(event.streamId), event))
  }
})
