/**
 * Holds events back until the order view's committed checkpoint has passed them, so that a query that follows a push
 * never shows older data. While the view is not live, events pass as soon as they are in the log.
 *
 * One fiber works for all subscribers, and only while somebody waits. The gate closes when the log went back.
 */
import { Effect, Option, Queue } from "effect"
import type { LogTail } from "../eventstore/tail/LogTail.ts"
import * as PositionLatch from "../projection/consistency/PositionLatch.ts"
import { supervise } from "../supervision/Supervisor.ts"
import type { OrderQueries } from "../views/order/OrderQueries.ts"

/** The gate waits so many milliseconds for the view before it asks again whether the view is live. */
const liveWait = 100
const otherWait = 10
/** The gate stops waiting, after so many milliseconds, for a view that claims to be live but does not move. */
const longestStall = 5_000

export const make = Effect.fnUntraced(function* (
  tail: LogTail["Service"],
  queries: Pick<OrderQueries["Service"], "awaitPosition" | "isLive" | "position">
) {
  const awaited = yield* Queue.sliding<void>(1)
  const gate = PositionLatch.make(() => Queue.offerUnsafe(awaited, undefined))
  let timeline = yield* tail.timeline
  let waited = 0

  /**
   * Waits at most `wait` milliseconds for the view to pass the gate's position, then lets through all events up to the
   * view's checkpoint.
   */
  const followView = Effect.fnUntraced(function* (wait: number) {
    const passed = yield* queries.awaitPosition(gate.position() + 1n).pipe(Effect.timeoutOption(wait))
    waited = Option.isSome(passed) ? 0 : waited + wait
    gate.advance(yield* queries.position)
  })

  const open = Effect.gen(function* () {
    if ((yield* queries.isLive) && waited < longestStall) return yield* followView(liveWait)
    gate.advance(yield* tail.position)
    // This also notices that a view which another process makes is live again.
    yield* followView(otherWait)
  })

  const openWhenAwaited = Queue.take(awaited).pipe(
    Effect.andThen(Effect.repeat(open, { while: () => gate.isAwaited() })),
    Effect.forever
  )
  yield* supervise(
    "push-gate",
    Effect.suspend(() => {
      // Whoever waited when this failed before still waits.
      if (gate.isAwaited()) Queue.offerUnsafe(awaited, undefined)
      return openWhenAwaited
    })
  )

  return {
    ...gate,
    awaitPosition: (position) =>
      Effect.flatMap(tail.timeline, (now) => {
        if (now !== timeline) gate.reset()
        timeline = now
        return gate.awaitPosition(position)
      })
  } satisfies PositionLatch.PositionLatch
})
