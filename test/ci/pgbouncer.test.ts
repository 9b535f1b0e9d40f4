/** The server behind a real pgbouncer, set up as docs/operating.md says, and as it does not. */
import { randomBytes } from "node:crypto"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { assert, it, onTestFinished } from "vitest"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import * as PgBouncer from "../../harness/servers/PgBouncer.ts"
import { freshDatabase, server, sql } from "../../harness/servers/Resources.ts"
import { ciSuite } from "../../harness/vitest/CiSuite.ts"
import { causeText } from "../../src/database/CauseText.ts"

const operating = await readFile(join(import.meta.dirname, "..", "..", "docs", "operating.md"), "utf8")
const [, section = ""] = operating.split("## Behind pgbouncer")
const block = (language: string) => new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "ms").exec(section)?.[1] ?? ""
const documented = block("ini")

/** Makes a database for a new role, and returns its URL. */
const databaseOfRole = async () => {
  const url = new URL(await freshDatabase())
  const role = `ordinal_app_${randomBytes(4).toString("hex")}`
  const superuser = sql(url.href)
  await superuser.rows(`CREATE ROLE ${role} LOGIN PASSWORD 'secret'`)
  await superuser.rows(`ALTER DATABASE ${url.pathname.slice(1)} OWNER TO ${role}`)
  Object.assign(url, { username: role, password: "secret" })
  const giveSettings = async () => {
    const statements = block("sql").replaceAll("ordinal_app", role).split(/;\n/)
    for (const statement of statements.filter((one) => one !== "")) await superuser.rows(statement)
  }
  onTestFinished(async () => {
    await superuser.rows(`REASSIGN OWNED BY ${role} TO CURRENT_USER`)
    await superuser.rows(`DROP OWNED BY ${role}`)
    await superuser.rows(`DROP ROLE ${role}`)
  })
  return { url: url.href, giveSettings }
}

const behind = async (url: string, settings: string) => {
  const pooler = await PgBouncer.start(url, settings)
  onTestFinished(pooler.stop)
  return pooler.url
}

/** Returns the last line of the server that did not start; a server that does start is no reason to wait for its end. */
const refused = (url: string) =>
  server({ DATABASE_URL: url }).then(
    () => "It started.",
    (cause: unknown) => causeText(cause).trim().split("\n").at(-1)?.trim() ?? ""
  )

ciSuite("the server works behind pgbouncer, or says what it needs", PgBouncer.missing(), () => {
  it("it starts, takes an order and shows it as docs/operating.md has it", async () => {
    const { giveSettings, url } = await databaseOfRole()
    await giveSettings()
    const { output, stop, url: api } = await server({ DATABASE_URL: await behind(url, documented) })
    await fillCatalog(api)
    const placed = await call(api, "POST", "/orders", { body: placement(), headers: { prefer: "wait=30" } })
    assert.strictEqual(placed.status, 201, placed.text)
    const { orderId } = placed.body as { readonly orderId: string }
    assert.strictEqual((await call(api, "GET", `/orders/${orderId}`)).status, 200)
    assert.deepStrictEqual(await stop(), { code: 0, signal: null })
    assert.notInclude(output(), "WARN")
  })

  it("it names the settings that the role lacks", async () => {
    const { url } = await databaseOfRole()
    const sentence = await refused(await behind(url, documented))
    assert.match(sentence, /drops settings .* ALTER ROLE … SET: .*lock_timeout = '2s', statement_timeout = '5s'/)
    assert.match(sentence, /"Behind pgbouncer" in docs\/operating\.md\.$/)
  })

  it("it says what to do when pgbouncer refuses the settings", async () => {
    const { url } = await databaseOfRole()
    const sentence = await refused(await behind(url, "pool_mode = session"))
    assert.match(sentence, /refuses settings of the session \(unsupported startup parameter: \w+\)\. .*docs\/operating/)
  })

  it("it refuses transaction mode, also while others use the same sessions", async () => {
    const { giveSettings, url } = await databaseOfRole()
    await giveSettings()
    const pooler = await behind(url, documented.replace("pool_mode = session", "pool_mode = transaction"))
    assert.match(await refused(pooler), /gives each transaction another session.* pool mode to session/)

    const over = new AbortController()
    onTestFinished(() => over.abort())
    const others = Array.from({ length: 4 }, async () => {
      const other = sql(pooler)
      while (!over.signal.aborted) await other.rows("SELECT pg_sleep(0.001)").catch(() => {})
    })
    assert.match(await refused(pooler), /gives each transaction another session/)
    over.abort()
    await Promise.all(others)
  })
})
