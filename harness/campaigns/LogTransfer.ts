/**
 * A log of orders is exported by a process that is killed again and again, imported into an empty database by another such
 * one, and into an embedded database. Each copy must verify as the same history, serve the same views byte by byte, and
 * know the tokens and idempotency keys of the first.
 */
import { Effect } from "effect"
import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Answer, call, fillCatalog } from "../clients/HttpClient.ts"
import { untilSo } from "../clocks/Until.ts"
import { placement } from "../fixtures/Shop.ts"
import { seeded } from "../fixtures/SeededRandom.ts"
import * as ViewJudge from "../judges/ViewJudge.ts"
import { type Environment, type Launch, launch, start } from "../servers/ServerProcess.ts"
import { freshDatabase, open, sessionsEnded, type Sql } from "../servers/Sql.ts"
import * as OrderLog from "../bench/OrderLog.ts"
import { logLayer } from "../views/LogLayer.ts"

export interface Plan {
  readonly postgresUrl: string
  readonly orders: number
  /** Each of the export and the import is killed so often, if it lives so long. */
  readonly kills: number
  readonly seed: number
}

interface Copy {
  readonly url: string
  readonly digests: ReadonlyMap<string, string>
}

/** About so many bytes has a line of the file. */
const lineBytes = 500

const sizeOf = (path: string) =>
  stat(path).then(
    ({ size }) => size,
    () => 0
  )

const succeeded = async ({ exit, output, words }: Launch) => {
  const { code } = await exit
  if (code !== 0) throw new Error(`A command failed with ${code}:\n${output()}`)
  return words()
}

/** Runs the command, and kills it as it passes each of these amounts, until it ends by itself. */
const withKills = async (
  run: () => Launch,
  progress: () => Promise<number>,
  amounts: ReadonlyArray<number>,
  after: () => Promise<void>
) => {
  let kills = 0
  for (const amount of amounts) {
    const killed = run()
    let hasEnded = false
    void killed.exit.then(() => (hasEnded = true))
    await untilSo(async () => hasEnded || (await progress()) >= amount, { what: "The next kill", pause: 2 })
    killed.child.kill("SIGKILL")
    const { signal } = await killed.exit
    await after()
    if (signal !== "SIGKILL") {
      // It ended first, well or not.
      await succeeded(killed)
      return { kills, said: killed.output() }
    }
    kills += 1
  }
  return { kills, said: await succeeded(run()) }
}

const keyed = { headers: { prefer: "wait=30", "idempotency-key": "transferred" } }

export const run = async ({ kills, orders, postgresUrl, seed }: Plan) => {
  const random = seeded(seed)
  const faults: Array<string> = []
  const seconds: Record<string, number> = {}
  const timed = async <A>(name: string, work: () => Promise<A>): Promise<A> => {
    const began = performance.now()
    const done = await work()
    seconds[name] = Math.round((performance.now() - began) / 100) / 10
    return done
  }
  const [source, target] = [await freshDatabase(postgresUrl), await freshDatabase(postgresUrl)]
  const directory = await mkdtemp(join(tmpdir(), "ordinal-transfer-"))
  const file = join(directory, "log.ndjson")
  const environment = (url: string): Environment => ({ DATABASE_URL: url })
  const ordinal = (url: string, ...words: ReadonlyArray<string>) => launch(environment(url), ["log", ...words])
  const verified = async (url: string): Promise<string> =>
    JSON.stringify(JSON.parse(await succeeded(ordinal(url, "verify", "--json"))))

  /** A server makes the views of this log, answers the request that the first one had, and ends. */
  const served = async (url: string): Promise<Copy & { readonly answer: Answer; readonly token: Answer }> => {
    const server = await start({ ...environment(url), DEMO: "false" })
    const sql: Sql = open(url)
    if (url === source.url) await fillCatalog(server.url)
    const answer = await call(server.url, "POST", "/orders", { body: placement(), ...keyed })
    await ViewJudge.caughtUp(sql)
    const token = await call(server.url, "GET", `/orders/${answer.body.orderId}`, {
      headers: { "consistency-token": told ?? answer.headers.get("consistency-token") ?? "", prefer: "wait=30" }
    })
    const digests = await ViewJudge.digests(sql)
    await server.stop()
    await sql.close()
    return { url, digests, answer, token }
  }

  let told: string | undefined
  try {
    await timed("fill", () =>
      Effect.runPromise(
        OrderLog.fill(orders * OrderLog.eventsPerOrder).pipe(Effect.provide(logLayer(source.url)), Effect.scoped)
      )
    )
    const first = await timed("view", () => served(source.url))
    told = first.answer.headers.get("consistency-token") ?? ""
    if (first.answer.status !== 201) faults.push(`An order was not placed: ${first.answer.text}`)

    const events = orders * OrderLog.eventsPerOrder
    const amounts = (of: number) => Array.from({ length: kills }, () => Math.floor(random() * of)).sort((a, b) => a - b)
    const exported = await timed("export", () =>
      withKills(
        () => ordinal(source.url, "export", file),
        () => sizeOf(file),
        amounts(events * lineBytes),
        async () => {}
      )
    )
    const sql = open(target.url)
    const imported = async () => {
      const there = "SELECT coalesce(max(position), 0)::float8 AS last FROM ordinal.events"
      const [row] = await sql.rows<{ readonly last: number }>(there).catch(() => [])
      return row?.last ?? 0
    }
    const loaded = await timed("import", () =>
      withKills(
        () => ordinal(target.url, "import", file),
        imported,
        amounts(events),
        () => sessionsEnded(sql)
      )
    )
    await sql.close()
    const expected = await timed("verify", () => verified(source.url))
    if ((await verified(target.url)) !== expected) faults.push("The imported log does not verify as the exported one.")

    const second = await served(target.url)
    if (second.answer.text !== first.answer.text) faults.push(`The key was answered ${second.answer.text}`)
    if (second.token.status !== 200) faults.push(`A token of the exported log was answered ${second.token.text}`)
    const differing = [...first.digests].filter(([orderId, digest]) => second.digests.get(orderId) !== digest)
    if (differing.length > 0 || first.digests.size !== second.digests.size) {
      faults.push(`${differing.length} of ${first.digests.size} orders are not in the view as they were.`)
    }

    const embedded = `pglite:${join(directory, "embedded")}`
    await timed("importEmbedded", () => succeeded(ordinal(embedded, "import", file)))
    if ((await verified(embedded)) !== expected) faults.push("The embedded log does not verify as the exported one.")
    const { size: fileBytes } = await stat(file)
    return {
      faults,
      events,
      orders: first.digests.size,
      fileBytes,
      seconds,
      kills: { export: exported.kills, import: loaded.kills }
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
    await source.drop()
    await target.drop()
  }
}
