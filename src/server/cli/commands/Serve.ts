/** Runs the server until a signal stops it: `ordinal serve`, or `ordinal` alone. */
import { Layer } from "effect"
import { Command } from "effect/cli"
import * as App from "../../App.ts"
import * as SettingFlags from "../SettingFlags.ts"

export const run = SettingFlags.command("Ordinal did not start.", Layer.launch(App.layer))

export const command = Command.make("serve", SettingFlags.flags, run).pipe(
  Command.withDescription("Serves HTTP until it is stopped. This is what happens without a command, too.")
)
