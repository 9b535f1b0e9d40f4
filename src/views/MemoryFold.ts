/**
 * Keeps a view in memory, for tests and trials: it folds the log without table and checkpoint, and starts anew with the
 * process.
 */
import { Clock, Effect, Stream } from "effect"
import { supervise } from "../supervision/Supervisor.ts"
import { EventStore, type RecordedEvent } from "../eventstore/EventStore.ts"
import { LogTail } from "../eventstore/tail/LogTail.ts"
import * as PositionLatch from "../projection/consistency/PositionLatch.ts"
import type { Freshness } from "./ViewQuery.ts"

/** Applies every event of the log in order until the scope closes. */
export const make = Effect.fnUntraced(function* (apply: (event: RecordedEvent) => void) {
  const log = yield* EventStore
  const tail = yield* LogTail
  const gate = PositionLatch.make()
  let applied = 0n

  const applyAll = (events: ReadonlyArray<RecordedEvent>) => {
    for (const event of events) {
      apply(event)
      applied = event.position
    }
    gate.advance(applied)
  }

  yield* supervise(
    "view-in-memory",
    Effect.suspend(() => Stream.runForEach(tail.pages(applied), (events) => Effect.sync(() => applyAll(events))))
  )

  /**
   * Reads the view at one moment. The log's end is asked first, so what is read is at least as new as `behind` says.
   */
  const read = Effect.fnUntraced(function* <A>(evaluate: (freshness: Freshness) => A) {
    const { position: head } = yield* log.head
    const [oldest] = yield* log.readAll({ after: applied, limit: 1 })
    const now = yield* Clock.currentTimeMillis
    const isBehind = oldest !== undefined && oldest.position > applied
    return evaluate({
      position: applied,
      behind: head > applied ? Number(head - applied) : 0,
      lag: isBehind ? Math.max(0, now - Date.parse(oldest.recordedAt)) / 1_000 : 0,
      parked: 0
    })
  })

  return { read, position: Effect.sync(() => gate.position()), awaitPosition: gate.awaitPosition }
})
