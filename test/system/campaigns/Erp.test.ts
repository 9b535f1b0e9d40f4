import { assert, it } from "vitest"
import { run } from "../../../harness/campaigns/erp/ErpCampaign.ts"
import { everyEvent, lastVersions } from "../../../harness/campaigns/erp/ErpJudge.ts"
import * as ErpProgram from "../../../harness/campaigns/erp/ErpProgram.ts"
import { project } from "../../../harness/fixtures/Programs.ts"
import { seed } from "../../../harness/fixtures/SeededRandom.ts"
import { directory, freshDatabase } from "../../../harness/servers/Resources.ts"

it("the programs of docs/integrating.md compile", async () => {
  assert.isAtLeast((await ErpProgram.files()).length, 5)
  await project(await ErpProgram.files())
})

it("who follows orders as docs/integrating.md says, and is killed at any step, has done everything once", async () => {
  const { done, faults, orders } = await run({
    databaseUrl: await freshDatabase(),
    folder: await directory(),
    ways: ["polling", "sse", "webhooks"],
    crashes: 14,
    serverKills: 2,
    rebuilds: 1,
    clients: 2,
    pause: 20,
    seed
  })
  assert.deepStrictEqual(faults, [])
  assert.isAtLeast(done.polling ?? 0, orders)
})

it("the judges see what was missed, done twice, done in another order, or never happened", () => {
  const log = new Map([
    ["a", ["OrderPlaced", "OrderConfirmed"]],
    ["b", ["OrderPlaced"]]
  ])
  const work = (...versions: ReadonlyArray<string>) =>
    versions.map((text) => ({ orderId: text.slice(0, 1), version: Number(text.slice(1)), what: text }))
  assert.deepStrictEqual(everyEvent(log, work("a1", "b1", "a2")), [])
  for (const versions of [
    ["a1", "a2"],
    ["a2", "b1"],
    ["a1", "a1", "a2", "b1"],
    ["a2", "a1", "b1"]
  ]) {
    assert.lengthOf(everyEvent(log, work(...versions)), 1, versions.join())
  }
  assert.lengthOf(everyEvent(log, work("a1", "a2", "b1", "c1")), 1)

  const view = new Map([
    ["a", "a2"],
    ["b", "b1"]
  ])
  assert.deepStrictEqual(lastVersions(log, work("a1", "b1", "a2"), view), [])
  assert.deepStrictEqual(lastVersions(log, work("a2", "b1"), view), [])
  for (const versions of [["a2"], ["a1", "b1"], ["a2", "a2", "b1"], ["a2", "a1", "b1"], ["a2", "b1", "c1"]]) {
    assert.lengthOf(lastVersions(log, work(...versions), view), 1, versions.join())
  }
  assert.lengthOf(lastVersions(log, work("a2", "b1"), new Map([["b", "b1"]])), 1)
})
