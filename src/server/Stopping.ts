/** Says in the log when the server begins to stop, by a signal, and when it has stopped. */
import { Duration, Effect, Layer } from "effect"

/**
 * Makes two layers: `stopped` goes below everything else of the server, whose layers are closed before it, and `stopping`
 * above, to be closed first. A start that fails has nothing to stop and says nothing.
 */
export const make = (shutdown: Duration.Duration) => {
  let began = false
  const stopping = Effect.suspend(() => {
    began = true
    return Effect.logInfo(`Stopping: what was begun is answered, for at most ${Duration.format(shutdown)}.`)
  })
  const stopped = Effect.suspend(() => (began ? Effect.logInfo("Stopped.") : Effect.void))
  return {
    stopping: Layer.effectDiscard(Effect.addFinalizer(() => stopping)),
    stopped: Layer.effectDiscard(Effect.addFinalizer(() => stopped))
  }
}
