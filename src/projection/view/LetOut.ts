/**
 * How much of a view a process has let out, where the view is read in more than one place: a replica, a cache. An answer that comes
 * later must not be older, wherever it is read. One place alone sees to that by itself (`SqlView`).
 */
import { Context, Effect, Layer } from "effect"
import * as MonotonicClock from "../../supervision/MonotonicClock.ts"
import { ProjectionBehind } from "../consistency/ConsistencyToken.ts"
import type { Freshness } from "./ViewQuery.ts"

/** A reader waits so many milliseconds, at most, until the view has again what was told from it elsewhere. */
const longestReturn = 2_000

const make = () => {
  let letOut = 0n
  const tell = (position: bigint): void => {
    if (position > letOut) letOut = position
  }
  return {
    /** The highest position that the view had when something was let out of it. */
    position: (): bigint => letOut,
    tell,
    /** Asks again until the answer is as fresh as required, and fails after a while; unless the log has lost that much. */
    atLeast: Effect.fnUntraced(function* <A extends { readonly freshness: Freshness }, E, R>(
      required: bigint,
      ask: Effect.Effect<A, E, R>
    ) {
      const start = yield* MonotonicClock.millis
      while (true) {
        const answer = yield* ask
        const { behind, position: current } = answer.freshness
        if (current < required && current + BigInt(behind) < required) letOut = 0n
        else if (current < required) {
          if ((yield* MonotonicClock.millis) - start >= longestReturn) {
            return yield* new ProjectionBehind({ required, current, retryAfter: 1 })
          }
          yield* Effect.sleep("20 millis")
          continue
        }
        tell(current)
        return answer
      }
    })
  }
}

export class LetOut extends Context.Service<LetOut, ReturnType<typeof make>>()("ordinal/projection/view/LetOut") {
  static readonly layer = Layer.sync(LetOut, make)
}
