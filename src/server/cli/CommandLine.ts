/**
 * Reads the command line: `serve` (which may be left out), `migrate` and `health`, with a flag for each of their
 * settings.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Cause, ConfigProvider, Effect, Exit, Layer, Option, Record, Runtime, Struct } from "effect"
import { CliConfig, CliError, Command, Flag, GlobalFlag } from "effect/cli"
import * as App from "../App.ts"
import * as CommandLineOutput from "./CommandLineOutput.ts"
import * as Health from "./Health.ts"
import { asText, type Setting } from "../SettingKinds.ts"
import * as Settings from "../Settings.ts"

const flags = Record.map(Settings.settings, (setting: Setting<unknown>, name) =>
  Flag.String(name.toLowerCase().replaceAll("_", "-")).pipe(
    Flag.withMetavar(setting.placeholder),
    Flag.withDescription(
      `${setting.meaning}: ${setting.expected} (${name}, default ${asText(setting.defaultValue) || "none"})`
    ),
    Flag.optional
  )
)

type Given = Readonly<Record<string, Option.Option<string>>>

/** Runs with the settings of the flags and the environment; a failure becomes one line and the exit code 1. */
const command =
  <E extends Error>(failed: string, run: Effect.Effect<unknown, E>) =>
  (given: Given) => {
    const flagged = ConfigProvider.fromUnknown(Record.getSomes(given), Settings.emptyToo)
    return run.pipe(
      Effect.provide(ConfigProvider.layer(ConfigProvider.orElse(flagged, ConfigProvider.fromEnv(Settings.emptyToo)))),
      Effect.catch((error) => {
        const reason = error.message.trim().replaceAll(/\s+/g, " ")
        return new CliError.UserError({ cause: error, userMessage: `${failed} ${reason}` })
      }),
      Effect.asVoid
    )
  }

const serve = command("Ordinal did not start.", Layer.launch(App.layer))

const migrate = command("Ordinal did not migrate.", App.migrate)

const health = command(
  "Ordinal is not ready.",
  Effect.flatMap(Settings.load, ({ settings }) => Health.check(settings))
)

const subcommands = [
  Command.make("serve", flags, serve).pipe(
    Command.withDescription("Serves HTTP until it is stopped. This is what happens without a command, too.")
  ),
  Command.make(
    "migrate",
    Struct.pick(flags, ["DATABASE_URL", "DATABASE_SCHEMA", "ALLOW_PGLITE_IN_PRODUCTION"]),
    migrate
  ).pipe(
    Command.withDescription(
      "Brings the database up to date and ends. The role of DATABASE_URL must own the schema; that of the server need not."
    )
  ),
  Command.make("health", Struct.pick(flags, ["HOST", "PORT"]), health).pipe(
    Command.withDescription(
      "Asks the server at HOST and PORT whether it is ready. Exits with 0 if so, and with 1 if not."
    )
  )
] as const

/** Leaves out Effect's own flag for the log level, which would hide the setting of that name. */
const config = CliConfig.make({ builtIns: GlobalFlag.BuiltIns.filter((flag) => flag !== GlobalFlag.LogLevel) })

/** Exits with 0 when a signal stops the server: that is how a server ends, not a failure of it. */
const teardown: Runtime.Teardown = (exit, onExit) =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) ? onExit(0) : Runtime.defaultTeardown(exit, onExit)

export const run = () =>
  Command.make("ordinal", flags, serve).pipe(
    Command.withDescription("An event-sourced order backend. Serves HTTP until it is stopped."),
    Command.withSubcommands(subcommands),
    Command.run({ version: "0.1.0" }),
    Effect.provideService(CliConfig.CliConfig, config),
    Effect.provide(CommandLineOutput.layer),
    Effect.provide(NodeServices.layer),
    NodeRuntime.runMain({ teardown })
  )
