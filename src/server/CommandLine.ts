/** The command line: one flag for each setting. Runs the server until it is stopped, or says in one line why it can't. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, ConfigProvider, Effect, Exit, Layer, Option, Record, Runtime } from "effect"
import { CliConfig, CliError, Command, Flag, GlobalFlag } from "effect/cli"
import * as App from "./App.ts"
import { asText, type Setting, settings } from "./Settings.ts"

const flags = Record.map(settings, (setting: Setting<unknown>, name) =>
  Flag.String(name.toLowerCase().replaceAll("_", "-")).pipe(
    Flag.withMetavar(setting.placeholder),
    Flag.withDescription(`${setting.meaning}: ${setting.expected} (${name}, default ${asText(setting.defaultValue)})`),
    Flag.optional
  )
)

const serve = (given: Record<string, Option.Option<string>>) => {
  const flagged = ConfigProvider.fromUnknown(Record.getSomes(given))
  return Layer.launch(App.layer).pipe(
    Effect.provide(ConfigProvider.layer(ConfigProvider.orElse(flagged, ConfigProvider.fromEnv()))),
    Effect.catch((error) => {
      const reason = error.message.trim().replaceAll(/\s+/g, " ")
      return new CliError.UserError({ cause: error, userMessage: `Ordinal did not start. ${reason}` })
    })
  )
}

/** Without Effect's own flag for the log level, which would hide the setting of that name. */
const config = CliConfig.make({ builtIns: GlobalFlag.BuiltIns.filter((flag) => flag !== GlobalFlag.LogLevel) })

/** Exits with 0 when a signal stops the server: that is how a server ends, not a failure of it. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

export const run = () =>
  Command.make("ordinal", flags, serve).pipe(
    Command.withDescription("An event-sourced order backend. Serves HTTP until it is stopped."),
    Command.run({ version: "0.1.0" }),
    Effect.provideService(CliConfig.CliConfig, config),
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain({ teardown })
  )
