/** Lists the commands of `ordinal`, one file of `commands` each; a new one is a line here. */
import * as Config from "./commands/Config.ts"
import * as Health from "./commands/Health.ts"
import * as Log from "./commands/Log.ts"
import * as Migrate from "./commands/Migrate.ts"
import * as Serve from "./commands/Serve.ts"

export const subcommands = [Serve.command, Migrate.command, Health.command, Log.command, Config.command] as const
