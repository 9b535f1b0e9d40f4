/** What is counted about actors. */
import { Effect } from "effect"
import type { Entry } from "../eventstore/EventStore.ts"
import { category } from "../eventstore/StreamId.ts"
import * as Metrics from "../telemetry/Metrics.ts"
import type { ActorContext } from "./actor/ActorContext.ts"
import { wireType } from "./WireType.ts"

export type AggregateMetrics = Pick<ActorContext, "activated" | "appended" | "lost">

export const make: Effect.Effect<AggregateMetrics> = Effect.gen(function* () {
  const activations = yield* Metrics.activations
  const eventsAppended = yield* Metrics.eventsAppended
  const appendConflicts = yield* Metrics.appendConflicts
  const types = new Map<string, string>()

  /** There are few, and each takes a while to make. */
  const typeOf = (category: string, type: string, schemaVersion: number): string => {
    const key = `${category}.${type}.${schemaVersion}`
    const known = types.get(key)
    if (known !== undefined) return known
    const made = wireType(category, type, schemaVersion)
    types.set(key, made)
    return made
  }

  return {
    activated: (source) => activations(1, source),
    appended: ({ events, streamId }: Entry) => {
      const name = category(streamId)
      for (const { schemaVersion, type } of events) eventsAppended(1, typeOf(name, type, schemaVersion))
    },
    lost: () => appendConflicts(1)
  }
})
