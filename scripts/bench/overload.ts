/**
 * A server that is sent five times what it can answer, whether or not it answers (an open loop), from a process beside it: how
 * much of its capacity it still answers (goodput), how long an accepted request takes, and what that takes of memory. The same
 * server without shedding (`SHED_AFTER=0`) is beside it. The load takes a part of the machine that grows with what is refused,
 * so on few cores the goodput is lower than it would be with a machine of its own.
 */
import { Effect } from "effect"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as HttpLoad from "../../harness/bench/http/HttpLoad.ts"
import * as Overload from "../../harness/bench/http/Overload.ts"
import { fresh } from "../../harness/servers/FreshDatabase.ts"

const plans = {
  full: { factor: 5, capacitySeconds: 10, seconds: 60, connections: 1_500 },
  quick: { factor: 5, capacitySeconds: 3, seconds: 10, connections: 1_500 },
  tiny: { factor: 2, capacitySeconds: 0.3, seconds: 0.5, connections: 600 }
}

const subjects = { shedding: {}, "not shedding": { SHED_AFTER: "0 millis" } }

export const run = Effect.fnUntraced(function* (size: keyof typeof plans) {
  const server = yield* BenchDatabase.server
  const plan = plans[size]
  const results: Record<string, unknown> = {}
  for (const [name, settings] of Object.entries(subjects)) {
    const measured = Effect.gen(function* () {
      const url = yield* fresh(server.url)
      const peer = yield* HttpLoad.running(() => HttpLoad.startOrdinal(url, settings))
      const load = yield* HttpLoad.running(async () => HttpLoad.startLoad())
      return yield* Overload.run(load, peer, plan)
    })
    results[name] = yield* Effect.scoped(measured)
    console.log(name, results[name])
  }
  return { bench: "overload", size, ranOn: yield* BenchDatabase.facts(server), ...plan, ...results }
}, Effect.scoped)
