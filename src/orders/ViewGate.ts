/**
 * How far events may be pushed: as far as the order view's committed checkpoint, so that a push followed by a query never
 * shows older data; while the view is not live, as far as the log.
 *
 * One fiber for all subscribers, and none at work while nobody waits.
 */
import { Effect, Option, Queue } from "effect"
import type { LogTail } from "../eventstore/tail/LogTail.ts"
import * as PositionLatch from "../projection/consistency/PositionLatch.ts"
import type { OrderQueries } from "../views/order/OrderQueries.ts"

/** How long, in milliseconds, a view is waited for before it is asked again whether it is live. */
const whileLive = 100
const whileNot = 10
/** And for how long one that claims to be. */
const patience = 5_000

export const make = Effect.fnUntraced(function* (
  tail: LogTail["Service"],
  queries: Pick<OrderQueries["Service"], "awaitPosition" | "isLive" | "position">
) {
  const awaited = yield* Queue.sliding<void>(1)
  const gate = PositionLatch.make(() => Queue.offerUnsafe(awaited, undefined))
  let waited = 0

  /** Lets through what the view has by now, or within a moment. */
  const followView = Effect.fnUntraced(function* (wait: number) {
    const passed = yield* queries.awaitPosition(gate.position() + 1n).pipe(Effect.timeoutOption(wait))
    waited = Option.isSome(passed) ? 0 : waited + wait
    gate.advance(yield* queries.position)
  })

  const open = Effect.gen(function* () {
    if ((yield* queries.isLive) && waited < patience) return yield* followView(whileLive)
    gate.advance(yield* tail.position)
    // Also finds out that a view which another process makes is back.
    yield* followView(whileNot)
  })

  yield* Queue.take(awaited).pipe(
    Effect.andThen(Effect.repeat(open, { while: () => gate.isAwaited() })),
    Effect.forever,
    Effect.forkScoped
  )

  return gate
})
