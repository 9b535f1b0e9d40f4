/** Runs the sending of pushes within a span that continues the trace of the command whose event is pushed first. */
import type { Effect } from "effect"
import type { Push } from "../../orders/Subscription.ts"
import * as Span from "../../telemetry/Span.ts"

const traceparentOf = (push: Push) => (push._tag === "Event" ? push.event.traceparent : undefined)

export const within = (
  name: string,
  batch: ReadonlyArray<Push>
): (<A, E, R>(send: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>) =>
  Span.joined(
    name,
    () => Span.ofTraceparents(batch.map(traceparentOf)),
    () => ({ pushes: batch.length })
  )
