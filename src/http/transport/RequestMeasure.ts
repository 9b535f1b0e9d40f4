/**
 * Measures each request as it is answered: its duration by route and status, and a line in the log where that is one for
 * debugging. Neither has the path or the query, which name orders and customers.
 */
import { Clock, Effect, LogLevel, References } from "effect"
import * as Metrics from "../../telemetry/Metrics.ts"
import type { RequestIds } from "../wire/RequestId.ts"

export const make = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const duration = yield* Metrics.requestDuration
  const isLogged = LogLevel.isLessThanOrEqualTo(yield* References.MinimumLogLevel, "Debug")
  const run = Effect.runSyncWith(yield* Effect.context())
  return (method: string, route: string, status: number, start: bigint, { uuid }: RequestIds): void => {
    const seconds = Number(clock.monotonicTimeNanosUnsafe() - start) / 1e9
    duration(seconds, method, route, String(status))
    if (!isLogged) return
    const millis = Math.round(seconds * 100_000) / 100
    run(Effect.logDebug(`${method} ${route} was answered with ${status}.`, { requestId: uuid, millis }))
  }
})
