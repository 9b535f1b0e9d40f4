/** Shows the settings that a server would have with this environment and these flags: `ordinal config`. */
import { Effect } from "effect"
import { Command } from "effect/cli"
import * as Settings from "../../Settings.ts"
import * as Output from "../Output.ts"
import * as SettingFlags from "../SettingFlags.ts"

const show = (given: SettingFlags.Given, isJson: boolean) =>
  Effect.gen(function* () {
    const flagged = SettingFlags.givenSettings(given)
    const settings = (yield* Settings.load).shown.map(({ isDefault, meaning, name, value }) => ({
      name,
      value,
      source: isDefault ? "default" : name in flagged ? "flag" : "environment",
      meaning
    }))
    yield* isJson
      ? Output.json(settings)
      : Output.table(settings.map(({ name, source, value }) => [name, value === "" ? "–" : value, source]))
  })

export const command = Command.make("config", { ...SettingFlags.flags, json: Output.jsonFlag }, ({ json, ...given }) =>
  SettingFlags.command("The settings can't be used.", show(given, json))(given)
).pipe(
  Command.withDescription(
    "Shows every setting with its value, without secrets, and where it comes from: a flag, the environment or the default."
  )
)
