/** Gives commands that work with the server's settings a flag for each of them, which wins over the environment. */
import { ConfigProvider, Effect, Option, Record } from "effect"
import { Flag } from "effect/cli"
import { asText, type Setting } from "../SettingKinds.ts"
import * as Settings from "../Settings.ts"
import { explained } from "./Failures.ts"

export const flags = Record.map(Settings.settings, (setting: Setting<unknown>, name) =>
  Flag.String(name.toLowerCase().replaceAll("_", "-")).pipe(
    Flag.withMetavar(setting.placeholder),
    Flag.withDescription(
      `${setting.meaning}: ${setting.expected} (${name}, default ${asText(setting.defaultValue) || "none"})`
    ),
    Flag.optional
  )
)

/** Holds what the flags of settings were given; a command may have other flags beside them. */
export type Given = Readonly<Record<string, unknown>>

const isGiven = (value: unknown): value is Option.Some<string> => Option.isOption(value) && Option.isSome(value)

/** Keeps the flags of settings that were given, by the names of their settings. */
export const givenSettings = (given: Given): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(given).flatMap(([name, value]) => (name in flags && isGiven(value) ? [[name, value.value]] : []))
  )

/** Runs with the settings of the flags and the environment; a failure becomes one line, which begins with `failed`. */
export const command =
  <E extends Error, R>(failed: string, run: Effect.Effect<unknown, E, R>) =>
  (given: Given) => {
    const flagged = ConfigProvider.fromUnknown(givenSettings(given), Settings.emptyToo)
    const both = ConfigProvider.ConfigProvider.use((environment) =>
      Effect.succeed(ConfigProvider.orElse(flagged, environment))
    )
    return run.pipe(Effect.provideServiceEffect(ConfigProvider.ConfigProvider, both), explained(failed), Effect.asVoid)
  }
