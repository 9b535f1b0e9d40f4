/** A position that only grows, and those who wait for it. No fibers, no clock: whoever knows more calls `advance`. */
import { Deferred, Effect } from "effect"

export interface PositionLatch {
  readonly position: () => bigint
  readonly isAwaited: () => boolean
  /** Lets everybody pass who waited for this or less. */
  readonly advance: (position: bigint) => void
  /** Waits until the position is at least this; the position then. */
  readonly awaitPosition: (position: bigint) => Effect.Effect<bigint>
}

interface Waiter {
  readonly position: bigint
  readonly passed: Deferred.Deferred<bigint>
}

/** `onAwaited` is called when somebody starts to wait. */
export const make = (onAwaited: () => void = () => {}): PositionLatch => {
  const waiters = new Set<Waiter>()
  let current = 0n
  return {
    position: () => current,
    isAwaited: () => waiters.size > 0,
    advance: (position) => {
      if (position <= current) return
      current = position
      for (const waiter of waiters) {
        if (waiter.position > position) continue
        waiters.delete(waiter)
        Deferred.doneUnsafe(waiter.passed, Effect.succeed(position))
      }
    },
    awaitPosition: (position) =>
      Effect.suspend(() => {
        if (position <= current) return Effect.succeed(current)
        const waiter: Waiter = { position, passed: Deferred.makeUnsafe() }
        waiters.add(waiter)
        onAwaited()
        return Effect.ensuring(
          Deferred.await(waiter.passed),
          Effect.sync(() => waiters.delete(waiter))
        )
      })
  }
}
