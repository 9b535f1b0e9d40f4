/** A process that opens a database, says so in one line, and keeps it until it is ended: `OpenPglite.ts <url>`. */
import { NodeRuntime } from "@effect/platform-node"
import { Effect, Layer, Redacted } from "effect"
import { Database } from "../../src/database/Database.ts"

const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))

Layer.build(Database.layer({ url: Redacted.make(process.argv[2] ?? "") })).pipe(
  Effect.andThen(say("open")),
  Effect.andThen(Effect.never),
  Effect.catchTag("DatabaseNotOpened", (error) => say(`${error.reason}: ${error.message}`)),
  Effect.scoped,
  NodeRuntime.runMain
)
