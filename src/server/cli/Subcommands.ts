/** Lists the commands of `ordinal`, one file of `commands` each; a new one is a line here. */
import * as Config from "./commands/Config.ts"
import * as Doctor from "./commands/Doctor.ts"
import * as Health from "./commands/Health.ts"
import * as Keys from "./commands/Keys.ts"
import * as Log from "./commands/Log.ts"
import * as Migrate from "./commands/Migrate.ts"
import * as Orders from "./commands/Orders.ts"
import * as Parked from "./commands/Parked.ts"
import * as Projections from "./commands/Projections.ts"
import * as Seed from "./commands/Seed.ts"
import * as Serve from "./commands/Serve.ts"
import * as Tail from "./commands/Tail.ts"
import * as Token from "./commands/Token.ts"

export const subcommands = [
  Serve.command,
  Migrate.command,
  Health.command,
  Config.command,
  Doctor.command,
  Orders.command,
  Tail.command,
  Projections.command,
  Parked.command,
  Log.command,
  Seed.command,
  Keys.command,
  Token.command
] as const
