/** How long commands take and what becomes of them. */
import { Cause, Clock, Effect, Exit, Option } from "effect"
import * as Metrics from "../../telemetry/Metrics.ts"
import { kindOf } from "../CommandErrors.ts"

interface Answer {
  readonly replayed: boolean
  readonly body: { readonly events: ReadonlyArray<unknown> }
}

type Outcome = "accepted" | "unchanged" | "replayed" | "rejected" | "conflict" | "unavailable" | "abandoned" | "defect"

const outcomeOf = (exit: Exit.Exit<Answer, unknown>): Outcome => {
  if (Exit.isSuccess(exit)) {
    if (exit.value.replayed) return "replayed"
    return exit.value.body.events.length > 0 ? "accepted" : "unchanged"
  }
  const error = Cause.findErrorOption(exit.cause)
  if (Option.isNone(error)) return Cause.hasInterruptsOnly(exit.cause) ? "abandoned" : "defect"
  const kind = kindOf(error.value)
  return kind === "rejection" ? "rejected" : kind
}

export const make = Effect.gen(function* () {
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
