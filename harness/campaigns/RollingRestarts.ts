/**
 * Two servers on one database that are stopped (SIGTERM) and started again in turn, as a rolling update does, under load. No
 * command may be stored that was not answered, everything that was accepted is stored, nothing that was refused is, and each
 * server ends with exit code 0. Clients go to the other server when one does not answer, and never repeat a command.
 */
import { Agent, request } from "node:http"
import { setTimeout as sleep } from "node:timers/promises"
import { fillCatalog, orderId } from "../clients/HttpClient.ts"
import { now } from "../clocks/RunningTime.ts"
import { untilSo } from "../clocks/Until.ts"
import { placement } from "../fixtures/Shop.ts"
import { freePort } from "../servers/FreePort.ts"
import { start, type ServerProcess } from "../servers/ServerProcess.ts"
import { logFaults, open, storedEvents } from "../servers/Sql.ts"

export interface Plan {
  readonly databaseUrl: string
  /** Each restarts both servers. */
  readonly rolls: number
  readonly clients: number
}

interface Attempt {
  readonly order: string
  /** 0 if there was no answer. */
  readonly status: number
  readonly type: string
}

const send = (agent: Agent, url: string, order: string) =>
  new Promise<Attempt>((resolve) => {
    const unanswered = () => resolve({ order, status: 0, type: "" })
    const headers = { "content-type": "application/json" }
    const sending = request(`${url}/orders`, { agent, method: "POST", headers }, (response) => {
      let text = ""
      response.on("data", (bytes) => (text += String(bytes)))
      response.on("error", unanswered)
      response.on("end", () => resolve({ order, status: response.statusCode ?? 0, type: JSON.parse(text).type ?? "" }))
    })
    sending.on("error", unanswered)
    sending.end(JSON.stringify(placement({ orderId: order })))
  })

const faultsOf = (attempts: ReadonlyArray<Attempt>, stored: ReadonlySet<string>): ReadonlyArray<string> =>
  attempts.flatMap(({ order, status, type }) => {
    const isStored = stored.has(order)
    if (status === 202) return isStored ? [] : [`${order} was accepted and is not stored`]
    if (status === 0) return isStored ? [`${order} is stored and was not answered`] : []
    if (status !== 503) return [`${order} was answered ${status} ${type}`]
    return isStored && type !== "/problems/outcome-unknown" ? [`${order} was refused with ${type} and is stored`] : []
  })

export const run = async ({ clients, databaseUrl, rolls }: Plan) => {
  const sql = open(databaseUrl)
  const agent = new Agent({ keepAlive: true })
  const settings = async () => ({ DATABASE_URL: databaseUrl, PORT: String(await freePort()) })
  const [one, other] = [await settings(), await settings()]
  const nodes: Array<{ server: ServerProcess; readonly settings: typeof one }> = []
  const faults: Array<string> = []
  const attempts: Array<Attempt> = []
  const stopMillis: Array<number> = []
  let longestGap = 0
  try {
    for (const settings of [one, other]) nodes.push({ server: await start(settings), settings })
    await fillCatalog(nodes[0]!.server.url)
    const over = new AbortController()
    let lastAccepted = now()
    const accepted = new Map<string, number>()
    /** Each has a server that it asks first. */
    const client = async (number: number) => {
      for (let turn = 0; !over.signal.aborted;) {
        const { url } = nodes[(number + turn) % nodes.length]!.server
        const attempt = await send(agent, url, orderId())
        attempts.push(attempt)
        turn = attempt.status === 202 ? 0 : turn + 1
        if (attempt.status !== 202) {
          await sleep(5)
          continue
        }
        longestGap = Math.max(longestGap, now() - lastAccepted)
        lastAccepted = now()
        accepted.set(url, (accepted.get(url) ?? 0) + 1)
      }
    }
    const running = Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
    const untilUsed = async ({ url }: ServerProcess) => {
      const before = accepted.get(url) ?? 0
      await untilSo(() => (accepted.get(url) ?? 0) > before, { what: `An order that ${url} accepts` })
    }
    for (let roll = 0; roll < rolls; roll++) {
      for (const node of nodes) {
        await untilUsed(node.server)
        const began = now()
        const { code } = await node.server.stop()
        stopMillis.push(now() - began)
        if (code !== 0) faults.push(`a server ended with exit code ${code}:\n${node.server.output().slice(-2_000)}`)
        node.server = await start(node.settings)
        await untilUsed(node.server)
      }
    }
    over.abort()
    await running
    const events = await storedEvents(sql)
    const stored = new Set(events.map(({ stream }) => stream.replace(/^order-/, "")))
    faults.push(...faultsOf(attempts, stored), ...logFaults(events))
    const count = (status: number) => attempts.filter((attempt) => attempt.status === status).length
    return {
      faults,
      restarts: stopMillis.length,
      attempts: attempts.length,
      accepted: count(202),
      later: count(503),
      unanswered: count(0),
      longestGapMillis: Math.round(longestGap),
      longestStopMillis: Math.round(Math.max(...stopMillis))
    }
  } finally {
    await Promise.all(nodes.map(({ server }) => server.kill()))
    agent.destroy()
    await sql.close()
  }
}
