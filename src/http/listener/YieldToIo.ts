/**
 * One turn of the event loop: what has come on sockets is read, and what they take is written. In a process that was held
 * up, timers come before; whoever judges by one that nothing came or went waits for this first.
 */
import { Effect } from "effect"

export const yieldToIo: Effect.Effect<void> = Effect.callback((resume) => {
  const immediate = setImmediate(() => resume(Effect.void))
  return Effect.sync(() => clearImmediate(immediate))
})
