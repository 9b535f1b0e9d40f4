/** Processes that own orders in a cluster, on one PostgreSQL: killed, stopped, paused and restarted, and joined by another. */
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it } from "vitest"
import * as ClusterKills from "../../harness/campaigns/ClusterKills.ts"
import { project } from "../../harness/fixtures/Programs.ts"
import { root } from "../../harness/fixtures/Readme.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"
import { freshDatabase } from "../../harness/servers/Resources.ts"

it("two owners and a node that only sends lose and double nothing while owners are killed, stopped, paused, joined and restarted", async () => {
  const { accepted, faults, probed } = await ClusterKills.run({
    databaseUrl: await freshDatabase(),
    rounds: 1,
    clients: 4,
    orders: 10,
    seed
  })
  assert.deepStrictEqual(faults, [], `seed ${seed}`)
  assert.isAbove(accepted, 0)
  assert.isAbove(probed, 0)
})

it("the program of docs/scaling.md compiles", async () => {
  const [, section = ""] = (await readFile(join(root, "docs", "scaling.md"), "utf8")).split("## A cluster")
  const [, code] = /^```ts\n(.*?)^```$/ms.exec(section) ?? []
  assert.isDefined(code)
  const imports = [
    'import { PgClient } from "@effect/sql-pg"',
    'import { Layer, Redacted } from "effect"',
    'import { OrdersLayers } from "ordinal"',
    'import { ClusterNode, OrdersCluster } from "ordinal/cluster"'
  ]
  await project([["cluster.ts", `${imports.join("\n")}\n${code}\nconsole.log(orders)\n`]])
})
