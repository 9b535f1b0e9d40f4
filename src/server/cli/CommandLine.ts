/** Reads the command line and runs the command that it names, or serves if it names none. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { ConfigProvider, Effect, Layer, Runtime, Stdio } from "effect"
import { constants } from "node:os"
import { CliConfig, Command, Flag, GlobalFlag } from "effect/cli"
import * as CommandLineOutput from "./CommandLineOutput.ts"
import * as Serve from "./commands/Serve.ts"
import * as Settings from "../Settings.ts"
import * as Failures from "./Failures.ts"
import * as SettingFlags from "./SettingFlags.ts"

/** Asks for help as Effect's own flag does; its words are these. */
const help = GlobalFlag.Action({
  flag: Flag.Boolean("help").pipe(
    Flag.withAlias("h"),
    Flag.withDescription("Show help information, as JSON together with --json"),
    Flag.withDefault(false)
  ),
  run: GlobalFlag.Help.run
})

/** Leaves out Effect's own flag for the log level, which would hide the setting of that name. */
const config = CliConfig.make({ builtIns: [help, GlobalFlag.Version, GlobalFlag.Wizard, GlobalFlag.Completions] })

const root = Command.make("ordinal", SettingFlags.flags, Serve.run).pipe(
  Command.withDescription("An event-sourced order backend. Serves HTTP until it is stopped.")
)

const version = { version: "0.1.0" }

/** Reads the arguments of `Stdio`. A start without any, which only serves, is spared the files of the other commands. */
export const program = Effect.gen(function* () {
  const { args } = yield* Stdio.Stdio
  if ((yield* args).length === 0) return yield* Command.run(root, version)
  const { subcommands } = yield* Effect.promise(() => import("./Subcommands.ts"))
  yield* Command.run(Command.withSubcommands(root, subcommands), version)
}).pipe(Effect.provideService(CliConfig.CliConfig, config), Effect.provide(CommandLineOutput.layer))

/** Ctrl-C sends a signal to npm and to this process, and npm sends its own on, so what comes so soon is the same one. */
const sameSignal = 1_000

/** The first signal ends the program in order; a later one ends it at once, with the exit code that shells give it. */
const exitOnSecondSignal = () => {
  let since: number | undefined
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      since ??= performance.now()
      if (performance.now() - since > sameSignal) process.exit(128 + constants.signals[signal])
    })
  }
}

export const run = () => {
  exitOnSecondSignal()
  program.pipe(
    Effect.provide(Layer.merge(NodeServices.layer, ConfigProvider.layer(ConfigProvider.fromEnv(Settings.emptyToo)))),
    NodeRuntime.runMain({ teardown: Failures.teardown(Runtime.defaultTeardown) })
  )
}
