/** Looks for what would keep a server with these settings from starting or working, and says what mends it: `ordinal doctor`. */
import { Effect, Schema } from "effect"
import { Command } from "effect/cli"
import * as DatabaseChecks from "../doctor/DatabaseChecks.ts"
import * as Findings from "../doctor/Findings.ts"
import * as KeySet from "../doctor/KeySet.ts"
import * as PortChecks from "../doctor/PortChecks.ts"
import * as Settings from "../../Settings.ts"
import * as Output from "../Output.ts"
import * as SettingFlags from "../SettingFlags.ts"

class Unwell extends Schema.TaggedError<Unwell>()("Unwell", { problems: Schema.Int, checks: Schema.Int }) {
  override get message() {
    return `${this.problems} of ${this.checks} checks found a problem.`
  }
}

const examine = (isJson: boolean) =>
  Effect.gen(function* () {
    const findings = Findings.make()
    const loaded = yield* Effect.result(Settings.load)
    if (loaded._tag === "Failure") yield* findings.check("settings", Effect.fail(loaded.failure))
    else {
      const { isGiven, settings } = loaded.success
      yield* findings.check("settings", Effect.succeed("All settings can be read."))
      yield* PortChecks.check(findings, settings, !isGiven("ADMIN_PORT"))
      yield* DatabaseChecks.check(findings, settings)
    }
    yield* KeySet.check(findings)
    const { all } = findings
    yield* isJson ? Output.json(all) : Output.table(all.map(({ check, sentence, state }) => [state, check, sentence]))
    const problems = all.filter(({ state }) => state === "problem").length
    if (problems > 0) yield* new Unwell({ problems, checks: all.length })
  })

export const command = Command.make("doctor", { ...SettingFlags.flags, json: Output.jsonFlag }, ({ json, ...given }) =>
  SettingFlags.command("Ordinal is not well.", examine(json))(given)
).pipe(
  Command.withDescription(
    "Checks settings, ports, the database and its disk, clocks and keys, and says what mends each problem. Changes nothing."
  )
)
