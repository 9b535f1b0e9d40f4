/** `node scripts/campaigns/connection-cuts.ts [--quick]`: cuts between Orders and PostgreSQL, and what became of each command. */
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import { report } from "../../harness/judges/Verdict.ts"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import { run } from "../../harness/campaigns/ConnectionCuts.ts"

const plan = process.argv.includes("--quick")
  ? { cuts: 50, swallowed: 1, hangUps: 50, away: 2 }
  : { cuts: 500, swallowed: 10, hangUps: 500, away: 20 }

Effect.gen(function* () {
  const server = yield* BenchDatabase.server
  const { faults, ...figures } = yield* run(yield* fresh(server.url), plan)
  report({ campaign: "connection-cuts", ...plan, ...figures }, faults)
}).pipe(Effect.scoped, NodeRuntime.runMain)
