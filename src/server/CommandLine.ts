/** The command line: reads the settings, runs the server. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, ConfigProvider, Effect, Exit, Layer, Option, Record, Runtime } from "effect"
import { CliConfig, CliError, Command, Flag, GlobalFlag } from "effect/cli"
import * as App from "./App.ts"
import { settings } from "./Settings.ts"
import * as StartFailure from "./StartFailure.ts"

const flagName = (setting: string) => setting.toLowerCase().replaceAll("_", "-")

const flags = Record.map(settings, ({ description, expected, fallback }, name) =>
  Flag.String(flagName(name)).pipe(
    Flag.withDescription(`${description}: ${expected} (${name}, default ${fallback})`),
    Flag.optional
  )
)

const serve = (given: Record<string, Option.Option<string>>) => {
  const flagged = ConfigProvider.fromUnknown(Record.getSomes(given))
  return Layer.launch(App.layer).pipe(
    Effect.provide(ConfigProvider.layer(ConfigProvider.orElse(flagged, ConfigProvider.fromEnv()))),
    Effect.catch(
      (error) =>
        new CliError.UserError({ cause: error, userMessage: `ordinal did not start: ${StartFailure.sentence(error)}` })
    )
  )
}

/** Its own flag for the log level would hide the setting of that name. */
const config = CliConfig.make({ builtIns: GlobalFlag.BuiltIns.filter((flag) => flag !== GlobalFlag.LogLevel) })

/** To be stopped by a signal is how a server ends, not a failure of it. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

/** Runs until it is stopped. */
export const run = () =>
  Command.make("ordinal", flags, serve).pipe(
    Command.withDescription("An event-sourced order backend. Serves HTTP until it is stopped."),
    Command.run({ version: "0.1.0" }),
    Effect.provideService(CliConfig.CliConfig, config),
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain({ teardown })
  )
