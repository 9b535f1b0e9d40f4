/**
 * Two servers on one PostgreSQL deliver orders to one receiver, which crashes, answers 500, hangs, dies before it answers
 * and is stopped, again and again, while every so often the server that delivers is killed. In the end the receiver has to
 * have exactly the log, the events of each order in order where they came first, and no signature that is not good.
 */
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { call } from "../clients/HttpClient.ts"
import * as OrderLoad from "../clients/OrderLoad.ts"
import { until, untilSo } from "../clocks/Until.ts"
import { freePort } from "../servers/FreePort.ts"
import { type Environment, type ServerProcess, start } from "../servers/ServerProcess.ts"
import { open, type Sql, storedEvents } from "../servers/Sql.ts"
import * as Receivers from "../webhooks/ReceiverProcess.ts"
import { faultsOf } from "../webhooks/Receiver.ts"

export interface Plan {
  readonly databaseUrl: string
  /** So often the receiver is disturbed. */
  readonly disturbances: number
  /** With each so many disturbances the server that delivers is killed. */
  readonly killEvery: number
  readonly clients: number
  readonly pause: number
  /** The servers wait so long for an answer; a machine that is slow needs longer. */
  readonly timeout: string
}

export interface Report {
  readonly faults: ReadonlyArray<string>
  readonly disturbed: Readonly<Record<string, number>>
  readonly kills: number
  readonly events: number
  /** So many requests were accepted beyond one for each event. */
  readonly repeated: number
}

const settings = ({ databaseUrl, timeout }: Plan): Environment => ({
  DATABASE_URL: databaseUrl,
  LOG_LEVEL: "info",
  LEASE: "1 second",
  WEBHOOKS_ALLOW_HTTP: "true",
  WEBHOOKS_ALLOWED_NETWORKS: "127.0.0.1",
  WEBHOOKS_TIMEOUT: timeout,
  WEBHOOKS_RETRY_AFTER: "10 millis",
  WEBHOOKS_RETRY_AT_MOST: "200 millis"
})

/** The attempts that failed, of what is delivered by now as well: the counter only grows. */
const failures = async (sql: Sql): Promise<number> => {
  const [row] = await sql.rows<{ readonly failures: number }>(
    `SELECT coalesce(sum(attempts - (state = 'delivered')::integer), 0)::float8 AS failures FROM ordinal.webhook_deliveries`
  )
  return row?.failures ?? 0
}

const checkpoint = async (sql: Sql) => {
  const [row] = await sql.rows<{ readonly owner: string | null; readonly left: number }>(`
    SELECT c.owner::text AS owner, ((h."position" - c."position")
      + (SELECT count(*) FROM ordinal.webhook_deliveries WHERE state = 'pending'))::float8 AS left
    FROM ordinal.checkpoints c CROSS JOIN ordinal.log_head h WHERE c.projection LIKE 'webhook-%'`)
  return row
}

export const run = async (plan: Plan): Promise<Report> => {
  const { clients, databaseUrl, disturbances, killEvery, pause } = plan
  const sql = open(databaseUrl)
  const folder = mkdtempSync(join(tmpdir(), "ordinal-webhooks-"))
  const file = join(folder, "accepted")
  Receivers.forgetAll(file)
  const servers: Array<ServerProcess> = []
  const disturbed: Record<string, number> = {}
  let kills = 0
  let receiver: Receivers.ReceiverProcess | undefined
  try {
    servers.push(await start(settings(plan)))
    await OrderLoad.fill(servers[0]!.url)
    servers.push(await start(settings(plan)))
    const port = await freePort()
    const { body } = await call(servers[0]!.adminUrl, "POST", "/admin/webhooks", {
      body: { url: `http://127.0.0.1:${port}/hook`, start: "start", types: ["order"] }
    })
    const options = { port, file, secret: String(body.secret) }
    const begin = async () => (receiver = await Receivers.start(options))
    let current = await begin()
    const load = OrderLoad.start({ urls: () => servers.map(({ url }) => url), clients, pause })

    const accepted = () => statSync(file).size
    /** Waits for a failed attempt that began from now on, or that was under way. */
    const hasFailed = async (before: number) =>
      untilSo(async () => (await failures(sql)) > before, { what: "A failed delivery" })

    const kinds: Readonly<Record<string, () => Promise<void>>> = {
      crashed: async () => {
        const before = await failures(sql)
        await current.kill()
        await hasFailed(before)
        current = await begin()
      },
      failing: async () => {
        const seen = current.count("failed")
        await current.become("failing")
        await current.reported("failed", seen)
        await current.become("sound")
      },
      hanging: async () => {
        const seen = current.count("hung")
        await current.become("hanging")
        await current.reported("hung", seen)
        await current.become("sound")
      },
      dying: async () => {
        await current.become("dying")
        await current.exit
        current = await begin()
      },
      paused: async () => {
        const before = await failures(sql)
        current.pause()
        await hasFailed(before)
        current.resume()
      }
    }

    /** Kills the server that delivers: when it began, it logged the name by which the lease knows it. */
    const killDeliverer = async () => {
      const find = async () => {
        const owner = (await checkpoint(sql))?.owner
        return owner == null ? undefined : servers.find(({ output }) => output().includes(owner))
      }
      const server = await until(find, (found): found is ServerProcess => found !== undefined, {
        what: "A server that delivers"
      })
      servers.splice(servers.indexOf(server), 1)
      await server.kill()
      kills += 1
      servers.push(await start(settings(plan)))
    }

    const names = Object.keys(kinds)
    for (let round = 0; round < disturbances; round++) {
      const name = names[round % names.length]!
      const before = accepted()
      await kinds[name]!()
      disturbed[name] = (disturbed[name] ?? 0) + 1
      if (round % killEvery === killEvery - 1) await killDeliverer()
      // What is disturbed next has worked again.
      await untilSo(() => accepted() > before, { what: "A delivery after the disturbance" })
    }
    await load.stop()
    const isAllDelivered = async () => (await checkpoint(sql))?.left === 0
    // What waits may be much, and takes as long as it takes; none may be without an end.
    while (!(await isAllDelivered())) {
      const before = accepted()
      await untilSo(async () => accepted() > before || (await isAllDelivered()), {
        what: "A further delivery, or the end"
      })
    }
    const { events, faults } = Receivers.accepted(file)
    const log = (await storedEvents(sql)).filter(({ stream }) => stream.startsWith("order-"))
    const [state] = await sql.rows<{ readonly failed: number }>(
      `SELECT count(*) FILTER (WHERE state = 'failed')::float8 AS failed FROM ordinal.webhook_deliveries`
    )
    return {
      faults: [
        ...load.faults,
        ...faults,
        ...faultsOf(events, log),
        ...(state?.failed === 0 ? [] : [`${state?.failed} events were given up`])
      ],
      disturbed,
      kills,
      events: log.length,
      repeated: events.length - log.length
    }
  } finally {
    await receiver?.kill()
    await Promise.all(servers.map(({ kill }) => kill()))
    await sql.close()
    rmSync(folder, { recursive: true })
  }
}
