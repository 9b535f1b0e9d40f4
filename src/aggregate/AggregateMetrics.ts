/** Counts what becomes of commands, what actors are loaded from, and which events they store. */
import { Cause, Clock, Effect, Exit, Option } from "effect"
import type { Entry } from "../eventstore/EventStore.ts"
import { category } from "../eventstore/StreamId.ts"
import * as Metrics from "../telemetry/Metrics.ts"
import { kindOf } from "./CommandErrors.ts"
import { wireType } from "./PublishedEvent.ts"

export interface ActorMetrics {
  /** An actor was loaded; `new`: nothing was read, since its stream was taken to be empty. */
  activated(source: "new" | "log" | "snapshot"): void
  /** The event store has stored the events of an entry. */
  appended(entry: Entry): void
  /** An append lost a race against another process. */
  lost(): void
}

export const makeActorMetrics: Effect.Effect<ActorMetrics> = Effect.gen(function* () {
  const activations = yield* Metrics.activations
  const eventsAppended = yield* Metrics.eventsAppended
  const appendConflicts = yield* Metrics.appendConflicts

  return {
    activated: (source) => activations(1, source),
    appended: ({ events, streamId }) => {
      const name = category(streamId)
      for (const { schemaVersion, type } of events) eventsAppended(1, wireType(name, type, schemaVersion))
    },
    lost: () => appendConflicts(1)
  }
})

interface Answer {
  readonly replayed: boolean
  readonly receipt: { readonly events: ReadonlyArray<unknown> }
}

const outcomeOf = (exit: Exit.Exit<Answer, unknown>) => {
  if (Exit.isSuccess(exit)) {
    if (exit.value.replayed) return "replayed"
    return exit.value.receipt.events.length > 0 ? "accepted" : "unchanged"
  }
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isNone(error)) return Cause.hasInterruptsOnly(exit.cause) ? "abandoned" : "defect"
  const kind = kindOf(error.value)
  return kind === "rejection" ? "rejected" : kind
}

/** Makes the function that measures how long a command takes and counts what becomes of it. */
export const makeCommandMetrics = Effect.gen(function* () {
  const clock = yield* Clock.Clock
  const commands = yield* Metrics.commands
  const duration = yield* Metrics.commandDuration

  return <A extends Answer, E, R>(command: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.suspend(() => {
      const start = clock.monotonicTimeNanosUnsafe()
      return Effect.onExit(effect, (exit) =>
        Effect.sync(() => {
          commands(1, command, outcomeOf(exit))
          duration(Number(clock.monotonicTimeNanosUnsafe() - start) / 1e9)
        })
      )
    })
})
