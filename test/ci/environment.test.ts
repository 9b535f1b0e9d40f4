import { execFileSync } from "node:child_process"
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir, userInfo } from "node:os"
import { join } from "node:path"
import { assert, inject, it, onTestFinished } from "vitest"
import * as SteppedClock from "../../harness/clocks/SteppedClock.ts"
import type { Disturbance } from "../../harness/environment/Disturbances.ts"
import { type Plan, run } from "../../harness/environment/EnvironmentCampaign.ts"
import { open } from "../../harness/servers/Sql.ts"
import * as StandbyPair from "../../harness/servers/StandbyPair.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"
import { seed } from "../../harness/fixtures/SeededRandom.ts"

const campaign = (databaseUrl: string, chosen: ReadonlyArray<Disturbance>, more: Partial<Plan> = {}) =>
  run({
    databaseUrl,
    seed,
    clients: 2,
    pause: 25,
    choose: () => chosen,
    isEnough: (count) => count >= chosen.length,
    lasts: [2_000, 3_000],
    toBeSeen: 5_000,
    takeOverEvery: chosen.length,
    ...more
  })

const directory = async () => {
  const path = await mkdtemp(join(tmpdir(), "ordinal-environment-"))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  await chmod(path, 0o777)
  return path
}

it("the clock of both servers is set an hour ahead, back, and two hours behind", async () => {
  const file = join(await directory(), "offset")
  const hours = (count: number): Disturbance => ({
    kind: "clock",
    name: `the servers' clocks ${count} hours ahead`,
    begin: [() => writeFile(file, String(count * 3_600_000))],
    cure: [() => writeFile(file, "0")],
    hits: []
  })
  const settings = SteppedClock.settings(file)
  const { faults, takeOvers } = await campaign(inject("postgresUrl"), [hours(1), hours(-2)], { settings })
  assert.deepStrictEqual(faults, [])
  assert.lengthOf(takeOvers, 1)
})

const mountMissing = () => {
  if (userInfo().uid !== 0) return "only root can mount a small disk"
  if (!/127\.0\.0\.1|localhost/.test(inject("postgresUrl"))) return "the database is on another machine"
  try {
    execFileSync("unshare", ["--mount", "true"])
    return undefined
  } catch {
    return "this machine lets nobody mount"
  }
}

ciSuite("the disk is full", mountMissing(), () => {
  it("and has room again", async () => {
    const path = await directory()
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=32m", "tmpfs", path])
    execFileSync("chown", ["postgres", path])
    onTestFinished(() => void execFileSync("umount", [path]))
    const sql = open(inject("postgresUrl"))
    onTestFinished(sql.close)
    await sql.rows(`CREATE TABLESPACE small LOCATION '${path}'`)
    onTestFinished(async () => void (await sql.rows("DROP TABLESPACE small")))
    const full = (table: string, hits: Disturbance["hits"]): Disturbance => ({
      kind: "disk full",
      name: `no room for ${table}`,
      begin: [
        `ALTER TABLE ordinal.${table} SET TABLESPACE small`,
        () => writeFile(join(path, "ballast"), Buffer.alloc(64 * 1024 * 1024)).catch(() => {})
      ],
      cure: [() => rm(join(path, "ballast"))],
      hits
    })
    const { faults, results } = await campaign(inject("postgresUrl"), [
      full("order_view", ["views"]),
      full("events", ["commands"])
    ])
    assert.deepStrictEqual(faults, [])
    assert.isTrue(results.every(({ isCounted }) => isCounted))
  })
})

const bin = await StandbyPair.programs()

ciSuite("a standby is promoted", bin === undefined ? "there is no pg_basebackup" : undefined, () => {
  it("and nothing that was acknowledged is lost", async () => {
    const pair = await StandbyPair.start(bin!)
    onTestFinished(pair.stop)
    const promoted: Disturbance = {
      kind: "standby",
      name: "the standby promoted",
      begin: [pair.loseFirst],
      cure: [pair.promote],
      hits: ["commands", "views"]
    }
    const { faults, results } = await campaign(pair.url, [promoted])
    assert.deepStrictEqual(faults, [])
    assert.isTrue(results.every(({ isCounted }) => isCounted))
  })
})
