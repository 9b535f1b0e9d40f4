/** Reads the log for a projection store in memory, as `LogPages` reads it in SQL. */
import { Effect } from "effect"
import type { EventStore, RecordedEvent } from "../../eventstore/EventStore.ts"
import * as StreamId from "../../eventstore/StreamId.ts"
import { handles } from "../Projection.ts"
import type { Memory } from "./Memory.ts"
import * as MemoryParkedStreams from "./MemoryParkedStreams.ts"
import type { ProjectionSession } from "./ProjectionStore.ts"

/** No more events than this are applied at once, so that everybody else has a turn. */
export const maxBatch = 500

export const make = (
  log: EventStore["Service"],
  memory: Memory["Service"]
): Pick<ProjectionSession, "ofStream" | "nextOfOthers"> => {
  const { among } = MemoryParkedStreams.make(memory)
  return {
    ofStream: Effect.fnUntraced(function* (streamId, from, upTo, limit) {
      const found: Array<RecordedEvent> = []
      for (let [after, hasMore] = [from - 1, true]; hasMore && found.length < limit;) {
        const page = yield* log.readStream(StreamId.StreamId.make(streamId), { after, limit: limit - found.length })
        found.push(...page.events)
        hasMore = page.hasMore
        after = found.at(-1)?.version ?? after
      }
      return found.filter(({ position }) => position <= upTo)
    }),
    nextOfOthers: Effect.fnUntraced(function* (consumer, key, after, except) {
      for (let from = after; ;) {
        const page = yield* log.readAll({ after: from, limit: maxBatch })
        const parked = yield* among(
          key,
          page.map(({ streamId }) => streamId)
        )
        const isOther = (event: RecordedEvent) =>
          handles(consumer, event) && !except.includes(event.streamId) && !parked.has(event.streamId)
        const found = page.find(isOther)
        const last = page.at(-1)
        if (found !== undefined || last === undefined) return found
        from = last.position
      }
    })
  }
}
