/**
 * When a receiver that failed is tried again. An event that fails waits longer and longer, and holds back only later ones of
 * its order. If several orders in a row fail, and nothing gets through between them, the endpoint itself is taken to be away:
 * one request at a time is tried then, soon and again, until one gets through.
 */
import { Duration, Effect, Random } from "effect"
import type { WebhookOptions } from "./WebhookOptions.ts"

/** So many orders in a row have to fail. */
const ordersToFail = 3

/** Doubles the first pause with each failure, up to the longest one, and spreads what would come at once. */
export const pauseAfter = (
  failures: number,
  { firstPause, longestPause }: Pick<WebhookOptions, "firstPause" | "longestPause">
) =>
  Effect.map(Random.nextBetween(0.8, 1.2), (jitter) => {
    const doubled = Duration.toMillis(firstPause) * 2 ** Math.min(failures - 1, 40)
    return Duration.millis(Math.min(doubled, Duration.toMillis(longestPause)) * jitter)
  })

export interface Health {
  /** Tells whether the endpoint is away, so that one request at a time is to find out when it is back. */
  readonly isAway: () => boolean
  /** Nothing may be sent before this time of the monotonic clock, in milliseconds. */
  readonly notBefore: () => number
  /** Reports that one got through; true if the endpoint was away. */
  readonly delivered: () => boolean
  /** Reports that one of this stream failed now. */
  readonly failed: (streamId: string, now: number) => Effect.Effect<void>
  /** The receiver wants nothing to be sent before this time. */
  readonly leaveAlone: (until: number) => void
}

/** Keeps in mind how an endpoint is doing, as far as this process has seen since it took it over. */
export const makeHealth = (options: Pick<WebhookOptions, "firstPause" | "awayPause">): Health => {
  const failing = new Set<string>()
  let [failures, awayUntil, aloneUntil] = [0, 0, 0]
  const isAway = () => failing.size >= ordersToFail
  const limits = { ...options, longestPause: options.awayPause }
  return {
    isAway,
    notBefore: () => Math.max(awayUntil, aloneUntil),
    delivered: () => {
      const wasAway = isAway()
      failing.clear()
      failures = awayUntil = 0
      return wasAway
    },
    failed: Effect.fnUntraced(function* (streamId: string, now: number) {
      failing.add(streamId)
      // What was under way when it went away fails all at once.
      if (!isAway() || now < awayUntil) return
      failures += 1
      awayUntil = now + Duration.toMillis(yield* pauseAfter(failures, limits))
    }),
    leaveAlone: (until) => {
      aloneUntil = Math.max(aloneUntil, until)
    }
  }
}
