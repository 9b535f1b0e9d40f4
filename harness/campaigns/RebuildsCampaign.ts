/**
 * Rebuilds the order view again and again while two servers take commands and readers page through lists: nobody may
 * see anything of it, and what comes out must be, byte for byte, what is made from nothing.
 */
import { Effect } from "effect"
import * as RebuildRows from "../../src/projection/rebuild/RebuildRows.ts"
import type { Projection } from "../../src/projection/Projection.ts"
import * as ListReaders from "../clients/ListReaders.ts"
import * as OrderLoad from "../clients/OrderLoad.ts"
import { type ServerProcess, start } from "../servers/ServerProcess.ts"
import { logFaults, open, type Sql, storedEvents } from "../servers/Sql.ts"
import * as KeptView from "../judges/KeptView.ts"
import * as ViewJudge from "../judges/ViewJudge.ts"
import { connect } from "../servers/FreshDatabase.ts"

export interface Plan {
  readonly databaseUrl: string
  readonly rebuilds: number
  readonly clients: number
  /** Each client waits so many milliseconds between two commands. */
  readonly pause: number
  /** There before the first rebuild, so that each has something to do. */
  readonly commands: number
  /** Each rebuild compares so many streams with the log before it serves. */
  readonly compare: number
  /** The order view in the database without it. */
  readonly view?: KeptView.KeptView
}

const patience = "5 minutes"

/** Asks for a rebuild as an operator's request does, by its row in the database, and waits for its end. */
const rebuild = (databaseUrl: string, projection: Projection, compare: number) =>
  Effect.gen(function* () {
    const sql = yield* connect(databaseUrl)
    const began = performance.now()
    const id = yield* RebuildRows.request(sql, projection, { compare })
    const look = Effect.map(RebuildRows.list(sql, id), ([row]) => row)
    const ended = yield* look.pipe(
      Effect.delay("20 millis"),
      Effect.repeat({ until: (row) => row === undefined || row.state !== "running" }),
      Effect.timeoutOrElse({ duration: patience, orElse: () => Effect.succeed(undefined) })
    )
    return { row: ended, seconds: (performance.now() - began) / 1_000 }
  }).pipe(Effect.scoped, Effect.runPromise)

/** Makes the view from nothing, by a server of its own. */
const fromNothing = async (sql: Sql, databaseUrl: string, { empty, name, rows, settings }: KeptView.KeptView) => {
  await empty()
  await sql.rows(`DELETE FROM ordinal.checkpoints WHERE projection = '${name}'`)
  const server = await start({ DATABASE_URL: databaseUrl, ...settings })
  await ViewJudge.caughtUp(sql, name)
  await server.kill()
  return KeptView.digests(rows())
}

const differing = (left: ReadonlyMap<string, string>, right: ReadonlyMap<string, string>) =>
  [...new Set([...left.keys(), ...right.keys()])].filter((orderId) => left.get(orderId) !== right.get(orderId))

export const run = async ({ clients, commands, compare, databaseUrl, pause, rebuilds, ...plan }: Plan) => {
  const sql = open(databaseUrl)
  const view = plan.view ?? KeptView.inDatabase(sql)
  const settings = { DATABASE_URL: databaseUrl, ...view.settings }
  const servers: Array<ServerProcess> = []
  const faults: Array<string> = []
  const seconds: Array<number> = []
  let compared = 0
  try {
    servers.push(await start(settings))
    await OrderLoad.fill(servers[0]!.url)
    servers.push(await start(settings))
    const urls = servers.map(({ url }) => url)
    const load = OrderLoad.start({ urls: () => urls, clients, pause })
    while (load.acknowledged.length < commands) await load.nextAcknowledged()

    let isOver = false
    let pages = 0
    const latest = () => {
      const receipt = load.acknowledged.at(-1)
      return receipt === undefined ? undefined : { ...receipt, token: load.token() }
    }
    const reading = ListReaders.read({
      urls,
      customer: OrderLoad.customer,
      token: load.token,
      latest,
      isOver: () => isOver,
      onRead: () => (pages += 1)
    })
    for (let round = 0; seconds.length < rebuilds && round < 10 * rebuilds; round++) {
      const before = pages
      const { row, seconds: took } = await rebuild(databaseUrl, view.projection, compare)
      // One that nobody read beside shows nothing.
      if (pages > before) seconds.push(Math.round(took * 10) / 10)
      compared += row?.compared ?? 0
      if (row?.state !== "completed" || row.different > 0) {
        faults.push(`rebuild ${round + 1} is ${row?.state ?? "not there"}, ${row?.different} differ: ${row?.problem}`)
      }
      await load.nextAcknowledged()
    }
    if (seconds.length < rebuilds) faults.push(`only beside ${seconds.length} rebuilds anybody could read`)
    await load.stop()
    const { head } = await ViewJudge.caughtUp(sql, view.name)
    isOver = true
    const { feed, reads, walks, ...read } = await reading

    faults.push(...read.faults, ...load.faults, ...logFaults(await storedEvents(sql)))
    faults.push(...(await ViewJudge.acknowledgedFaults(sql, load.acknowledged)))
    const { orders, ...judged } = await ViewJudge.judge(sql, view.rows())
    faults.push(...judged.faults)
    for await (const { columns, orderId } of view.rows()) {
      const [version] = JSON.parse(columns)
      if (feed.get(orderId) !== version) faults.push(`${orderId}: the reader of changes missed version ${version}`)
    }
    await Promise.all(servers.splice(0).map(({ stop }) => stop()))
    const rebuilt = await KeptView.digests(view.rows())
    const other = differing(rebuilt, await fromNothing(sql, databaseUrl, view))
    faults.push(...other.map((orderId) => `${orderId}: the row made from nothing is another one`))
    return { faults, events: head, orders, acknowledged: load.acknowledged.length, compared, reads, walks, seconds }
  } finally {
    await Promise.all(servers.map(({ kill }) => kill()))
    await sql.close()
  }
}
