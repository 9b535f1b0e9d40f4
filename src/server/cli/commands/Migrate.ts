/** Brings the database up to date and ends: `ordinal migrate`. */
import { Struct } from "effect"
import { Command } from "effect/cli"
import * as App from "../../App.ts"
import * as SettingFlags from "../SettingFlags.ts"

const flags = Struct.pick(SettingFlags.flags, ["DATABASE_URL", "DATABASE_SCHEMA", "ALLOW_PGLITE_IN_PRODUCTION"])

export const command = Command.make(
  "migrate",
  flags,
  SettingFlags.command("Ordinal did not migrate.", App.migrate)
).pipe(
  Command.withDescription(
    "Brings the database up to date and ends. The role of DATABASE_URL must own the schema; that of the server need not."
  )
)
