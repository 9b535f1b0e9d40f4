/** Brings the database up to date and ends: `ordinal migrate`. */
import { Struct } from "effect"
import { Command, Flag } from "effect/cli"
import * as App from "../../App.ts"
import * as SettingFlags from "../SettingFlags.ts"

const flags = {
  ...Struct.pick(SettingFlags.flags, [
    "DATABASE_URL",
    "DATABASE_SCHEMA",
    "DATABASE_VIEWS_SCHEMA",
    "ALLOW_PGLITE_IN_PRODUCTION"
  ]),
  isDry: Flag.Boolean("dry-run").pipe(
    Flag.withDescription("list what would be done, and do nothing"),
    Flag.withDefault(false)
  )
}

export const command = Command.make("migrate", flags, ({ isDry, ...given }) =>
  SettingFlags.command("Ordinal did not migrate.", App.migrate(isDry))(given)
).pipe(
  Command.withDescription(
    "Brings the database up to date and ends. The role of DATABASE_URL must own the schema; that of the server need not."
  )
)
