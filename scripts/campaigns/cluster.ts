/**
 * `node scripts/campaigns/cluster.ts [--quick]`: two processes that own orders and one that only sends, on one PostgreSQL, under
 * load; the owners are killed, stopped and paused one after the other, another one joins and goes, and all are restarted in turn.
 * Nobody may wait for longer than a second. In the end it times commands at their owner and at a node that sends them on.
 */
import { spread } from "../../harness/bench/Measurement.ts"
import { run } from "../../harness/campaigns/ClusterKills.ts"
import { report } from "../../harness/judges/Verdict.ts"
import * as PostgresServer from "../../harness/servers/PostgresServer.ts"

const allowed = 1_000
const plan = process.argv.includes("--quick")
  ? { rounds: 1, clients: 4, orders: 10 }
  : { rounds: 10, clients: 8, orders: 20 }

const postgres = await PostgresServer.start()
try {
  const seed = Date.now() % 1_000_000
  const { faults, waits, ways, ...figures } = await run({ ...plan, seed, databaseUrl: postgres.url })
  const spreads = (all: Readonly<Record<string, ReadonlyArray<number>>>) =>
    Object.fromEntries(Object.entries(all).map(([name, millis]) => [name, spread(millis)]))
  const slow = Object.entries(waits).flatMap(([name, millis]) =>
    millis.filter((wait) => wait > allowed).map((wait) => `a command took ${wait} ms beside a ${name}`)
  )
  report({ campaign: "cluster", seed, ...plan, ...figures, longestMillis: spreads(waits), nodeMillis: spreads(ways) }, [
    ...faults,
    ...slow
  ])
} finally {
  await postgres.stop()
}
