/**
 * Ends the server by steps, of which each has a line in the log: after the first signal this process is not ready any more,
 * then the ports do what `http/transport/CloseLog` says, and all is closed that is below them.
 */
import { Duration, Effect, Layer } from "effect"
import { Draining } from "../aggregate/CommandErrors.ts"

/**
 * Makes two layers: `stopped` goes below everything else of the server, whose layers are closed before it, and `stopping`
 * above, to be closed first. A start that fails has nothing to stop and says nothing. `refuse` fails from the first signal on.
 */
export const make = (shutdown: Duration.Duration) => {
  let began = false
  const stopping = Effect.suspend(() => {
    began = true
    return Effect.logInfo(
      `Stopping: not ready any more. What was begun is answered, for at most ${Duration.format(shutdown)}; another signal ends that at once.`
    )
  })
  const stopped = Effect.suspend(() => (began ? Effect.logInfo("Stopped.") : Effect.void))
  return {
    refuse: Effect.suspend(() => (began ? Effect.fail(new Draining({ retryAfter: 1 })) : Effect.void)),
    stopping: Layer.effectDiscard(Effect.addFinalizer(() => stopping)),
    stopped: Layer.effectDiscard(Effect.addFinalizer(() => stopped))
  }
}

export type Stopping = ReturnType<typeof make>
