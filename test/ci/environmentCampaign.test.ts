import { assert, inject, it } from "vitest"
import type { Disturbance } from "../../harness/environment/Disturbances.ts"
import { run } from "../../harness/environment/EnvironmentCampaign.ts"
import * as EnvironmentPlans from "../../harness/environment/EnvironmentPlans.ts"
import * as ServerLog from "../../harness/environment/ServerLog.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"

it("whatever is done to the environment of two servers, all is back by itself, with nothing lost and little said", async () => {
  const databaseUrl = inject("postgresUrl")
  const { acknowledged, faults, results, takeOvers } = await run({ ...EnvironmentPlans.quick(seed), databaseUrl })
  assert.deepStrictEqual(faults, [], `seed ${seed}`)
  assert.isTrue(results.every(({ isCounted }) => isCounted))
  assert.lengthOf(takeOvers, 1)
  assert.isAbove(acknowledged, 100)
})

const planted = (name: string, begin: ReadonlyArray<string>): Disturbance => ({
  kind: "planted",
  name,
  begin,
  cure: [],
  hits: ["views"]
})

/** Waits for an order that nothing will happen to any more. */
const deleteDelivered = `DO $$ BEGIN LOOP
  DELETE FROM ordinal.order_view WHERE order_id = (
    SELECT min(order_id) FROM ordinal.order_view WHERE status = 'delivered'
  );
  EXIT WHEN FOUND;
  PERFORM pg_sleep(0.1);
END LOOP; END $$`

/** Runs with one planted disturbance. */
const runWith = (disturbance: Disturbance, limits: { readonly toBeSeen: number; readonly allowed: number }) =>
  run({
    ...limits,
    databaseUrl: inject("postgresUrl"),
    seed,
    clients: 1,
    pause: 25,
    choose: () => [disturbance],
    isEnough: (count) => count >= 1,
    lasts: [0, 0],
    takeOverEvery: Infinity
  })

it("the environment campaign finds what is not cured", async () => {
  const neverCured = planted("never cured", ["ALTER TABLE ordinal.checkpoints RENAME TO away"])
  const { faults, results } = await runWith(neverCured, { toBeSeen: 120_000, allowed: 2_000 })
  assert.isTrue(results[0]?.isCounted)
  assert.include(faults.join("\n"), "never cured: not back: The view at position")
})

it("the environment campaign finds what is lost, and counts nothing that nobody saw", async () => {
  const { faults, results } = await runWith(planted("a row lost", [deleteDelivered]), { toBeSeen: 0, allowed: 120_000 })
  assert.isFalse(results[0]?.isCounted)
  assert.match(faults.join("\n"), /ord_\S+ is in the log, and not in the view/)
})

it("the environment campaign finds what a server said too often, or never took back", () => {
  const line = (message: string) => JSON.stringify({ message, level: "WARN" }) + "\n"
  const fails = line("The log's tail fails and is tried again until it works: it is gone")
  const works = line("The log's tail works again after 3 s.")
  const other = line("order 17 was lost")
  const faults = (output: string) => ServerLog.faults(ServerLog.linesOf(output), 1_000)
  assert.deepStrictEqual(faults(fails + works), [])
  assert.deepStrictEqual(faults(works + fails), ["it was not said that this works again: The log's tail"])
  assert.deepStrictEqual(faults(other.repeat(3)), ["said 3 times: order # was lost"])
  assert.deepStrictEqual(faults(JSON.stringify({ message: "Error\n    at f", level: "ERROR" }) + "\n"), [])
  const stacks = ["a", "b", "c", "d", "e"].map((name) => line(`${name}\n    at f`)).join("")
  assert.deepStrictEqual(faults(stacks), ["5 stacks were logged"])
})
