/** Reads a view that a kernel keeps in memory, and how fresh it is, at one moment: what `SqlView` does with a statement. */
import { Effect } from "effect"
import type { DatabaseUnavailable } from "../../database/DatabaseErrors.ts"
import { EventStore } from "../../eventstore/EventStore.ts"
import * as ConsistencyToken from "../consistency/ConsistencyToken.ts"
import type { ProjectionKey } from "../Projection.ts"
import { type CheckpointRow, keyOf, Memory, type Tables } from "../store/Memory.ts"
import { countParked } from "../store/MemoryParkedStreams.ts"
import type { Freshness, TokenError } from "./ViewQuery.ts"
import * as ViewToken from "./ViewToken.ts"

/** Makes a function that reads a view at one moment, unless the caller's token is refused. */
export const make = Effect.gen(function* () {
  const log = yield* EventStore
  const { clock, tables } = yield* Memory

  return Effect.fnUntraced(function* <A>(
    { name }: Pick<ProjectionKey, "name">,
    look: (tables: Tables, checkpoint: CheckpointRow | undefined) => A,
    token?: ConsistencyToken.ConsistencyToken
  ): Effect.fn.Return<{ readonly found: A; readonly freshness: Freshness }, TokenError | DatabaseUnavailable> {
    // The log's end is asked first, so what is read is at least as new as `behind` says.
    const { logId, position: head } = yield* log.head
    const tokenEventId = token && (yield* ConsistencyToken.eventIdAt(log, token.position))
    const { checkpoint, found, parked } = yield* tables.read((tables) => {
      const checkpoint = tables.checkpoints.get(keyOf({ name, slot: "live" }))
      return { checkpoint, found: look(tables, checkpoint), parked: countParked(tables, name) }
    })
    const position = checkpoint?.position ?? 0n
    yield* ViewToken.check(token, logId, tokenEventId, position)
    const [oldest] = yield* log.readAll({ after: position, limit: 1 })
    const freshness: Freshness = {
      position,
      behind: head > position ? Number(head - position) : 0,
      lag:
        oldest === undefined || head <= position
          ? 0
          : Math.max(0, clock.currentTimeMillisUnsafe() - Date.parse(oldest.recordedAt)) / 1_000,
      parked,
      token: ViewToken.of(logId, position, checkpoint?.eventId)
    }
    return { found, freshness }
  })
})
