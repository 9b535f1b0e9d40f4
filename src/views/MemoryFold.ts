/**
 * Keeps a view in memory, for tests and trials: it folds the log without table and checkpoint, and starts anew with the
 * process.
 */
import { Clock, Effect, Stream } from "effect"
import { supervise } from "../supervision/Supervisor.ts"
import type { DatabaseUnavailable } from "../database/DatabaseErrors.ts"
import { EventStore, type RecordedEvent } from "../eventstore/EventStore.ts"
import { LogTail } from "../eventstore/tail/LogTail.ts"
import * as ConsistencyToken from "../projection/consistency/ConsistencyToken.ts"
import * as PositionLatch from "../projection/consistency/PositionLatch.ts"
import type { Freshness, TokenError } from "../projection/view/ViewQuery.ts"
import * as ViewToken from "../projection/view/ViewToken.ts"

/** Applies every event of the log in order until the scope closes. */
export const make = Effect.fnUntraced(function* (apply: (event: RecordedEvent) => void) {
  const log = yield* EventStore
  const tail = yield* LogTail
  const gate = PositionLatch.make()
  let applied = 0n
  let lastEventId: string | undefined

  const applyAll = (events: ReadonlyArray<RecordedEvent>) => {
    for (const event of events) {
      apply(event)
      applied = event.position
      lastEventId = event.eventId
    }
    gate.advance(applied)
  }

  yield* supervise(
    "view-in-memory",
    Effect.suspend(() => Stream.runForEach(tail.pages(applied), (events) => Effect.sync(() => applyAll(events))))
  )

  /**
   * Reads the view at one moment, unless the caller's token is refused. The log's end is asked first, so what is read is
   * at least as new as `behind` says.
   */
  const read = Effect.fnUntraced(function* <A>(
    evaluate: (freshness: Freshness) => A,
    token?: ConsistencyToken.ConsistencyToken
  ): Effect.fn.Return<A, TokenError | DatabaseUnavailable> {
    const { logId, position: head } = yield* log.head
    const tokenEventId = token && (yield* ConsistencyToken.eventIdAt(log, token.position))
    yield* ViewToken.check(token, logId, tokenEventId, applied)
    const [oldest] = yield* log.readAll({ after: applied, limit: 1 })
    const now = yield* Clock.currentTimeMillis
    const position = applied
    const eventId = lastEventId
    const isBehind = oldest !== undefined && oldest.position > position
    return evaluate({
      position,
      behind: head > position ? Number(head - position) : 0,
      lag: isBehind ? Math.max(0, now - Date.parse(oldest.recordedAt)) / 1_000 : 0,
      parked: 0,
      token: ViewToken.of(logId, position, eventId)
    })
  })

  return { read, position: Effect.sync(() => gate.position()), awaitPosition: gate.awaitPosition }
})
