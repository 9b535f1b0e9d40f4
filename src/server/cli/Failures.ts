/** Makes the failure of a command one sentence on stderr and its exit code: 1, or 2 for a command line that can't be read. */
import { Cause, Effect, Exit, Option, type Runtime } from "effect"
import { CliError } from "effect/cli"

const oneLine = (text: string): string => text.trim().replaceAll(/\s+/g, " ")

/** Begins the sentence about any failure with `failed`. */
export const explained =
  (failed: string) =>
  <A, E extends Error, R>(run: Effect.Effect<A, E, R>): Effect.Effect<A, CliError.UserError, R> =>
    Effect.mapError(
      run,
      (error) => new CliError.UserError({ cause: error, userMessage: oneLine(`${failed} ${error.message}`) })
    )

const isUnreadable = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) &&
  Option.exists(Cause.findErrorOption(exit.cause), (error) => CliError.isCliError(error) && error._tag === "ShowHelp")

/** Exits with 0 when a signal ends a command: that is how a server ends, or a stream, not a failure of it. */
export const teardown: (otherwise: Runtime.Teardown) => Runtime.Teardown = (otherwise) => (exit, onExit) => {
  if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return onExit(0)
  return isUnreadable(exit) ? onExit(2) : otherwise(exit, onExit)
}
