/**
 * A position that only grows while the log does, and the fibers that wait for it. It has no fiber and no clock of its own: whoever learns
 * of a higher position calls `advance`. `ProjectionProgress`, the views in memory and the push of events use it.
 */
import { Deferred, Effect, Latch } from "effect"

export interface PositionLatch {
  readonly position: () => bigint
  readonly isAwaited: () => boolean
  /** Raises the position and wakes everybody who waited for it or less. A lower position changes nothing. */
  readonly advance: (position: bigint) => void
  /** Begins at position 0 again, since the log was replaced by an older copy. Whoever waits goes on waiting. */
  readonly reset: () => void
  /** Waits until the position is at least this; gives the position then. */
  readonly awaitPosition: (position: bigint) => Effect.Effect<bigint>
  /** Waits until somebody waits for a position. */
  readonly whenAwaited: Effect.Effect<void>
}

interface Waiter {
  readonly position: bigint
  readonly passed: Deferred.Deferred<bigint>
}

/** Makes a latch at position 0. The latch calls `onAwaited` each time a caller starts to wait for a position. */
export const make = (onAwaited: () => void = () => {}): PositionLatch => {
  const waiters = new Set<Waiter>()
  const someWait = Latch.makeUnsafe()
  let current = 0n

  const leave = (waiter: Waiter) => {
    waiters.delete(waiter)
    if (waiters.size === 0) someWait.closeUnsafe()
  }
  return {
    position: () => current,
    isAwaited: () => waiters.size > 0,
    advance: (position) => {
      if (position <= current) return
      current = position
      for (const waiter of waiters) {
        if (waiter.position > position) continue
        leave(waiter)
        Deferred.doneUnsafe(waiter.passed, Effect.succeed(position))
      }
    },
    reset: () => {
      current = 0n
    },
    awaitPosition: (position) =>
      Effect.suspend(() => {
        if (position <= current) return Effect.succeed(current)
        const waiter: Waiter = { position, passed: Deferred.makeUnsafe() }
        waiters.add(waiter)
        someWait.openUnsafe()
        onAwaited()
        return Effect.ensuring(
          Deferred.await(waiter.passed),
          Effect.sync(() => leave(waiter))
        )
      }),
    whenAwaited: someWait.await
  }
}
