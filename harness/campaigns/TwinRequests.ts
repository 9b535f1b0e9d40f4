/**
 * Many equal requests with one `Idempotency-Key`, in parallel, over two server processes on one PostgreSQL; the same
 * again after both were killed; and again where the kill came in the middle of them. Per key: one effect, one answer.
 */
import { randomUUID } from "node:crypto"
import { placement } from "../fixtures/Shop.ts"
import { call, fillCatalog, orderId } from "../clients/HttpClient.ts"
import { type ServerProcess, start } from "../servers/ServerProcess.ts"
import { logFaults, open, sessionsEnded, type Sql, storedEvents } from "../servers/Sql.ts"

export interface Plan {
  readonly databaseUrl: string
  /** So many equal requests are sent at a time. */
  readonly twins: number
  /** Rounds with a kill after all were answered, and with one in the middle. */
  readonly rounds: number
  readonly killed: number
}

interface Command {
  readonly path: string
  readonly body: object
  readonly key: string
  /** The command stores so many events, once. */
  readonly events: number
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly replayed: boolean
}

type Servers = readonly [ServerProcess, ServerProcess]

const startBoth = async (settings: Readonly<Record<string, string>>): Promise<Servers> =>
  Promise.all([start(settings), start(settings)])

const killBoth = (servers: Servers) => Promise.all(servers.map((server) => server.kill()))

/** Undefined if it got no answer. */
const send = async ({ url }: ServerProcess, { body, key, path }: Command): Promise<Answer | undefined> => {
  const headers = { "content-type": "application/json", "idempotency-key": key }
  try {
    const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) })
    const text = await response.text()
    return { status: response.status, text, replayed: response.headers.get("idempotent-replayed") === "true" }
  } catch {
    return undefined
  }
}

const sendAll = (servers: Servers, command: Command, twins: number) =>
  Array.from({ length: twins }, (_, index) => send(servers[index % 2 === 0 ? 0 : 1], command))

const isAnswer = (answer: Answer | undefined): answer is Answer => answer !== undefined

/** Gives the faults in the answers to one key; `ran` says that one of them may be of the request that took effect. */
const answerFaults = (answers: ReadonlyArray<Answer>, ran: boolean, earlier?: string): ReadonlyArray<string> => {
  const faults: Array<string> = []
  const odd = answers.find(({ status }) => status !== 202)
  if (odd !== undefined) faults.push(`answered ${odd.status} ${odd.text}`)
  const texts = new Set([...answers.map(({ text }) => text), ...(earlier === undefined ? [] : [earlier])])
  if (texts.size > 1) faults.push(`${texts.size} different bodies: ${[...texts].slice(0, 2).join(" ≠ ")}`)
  const first = answers.filter(({ replayed }) => !replayed).length
  if (first > (ran ? 1 : 0)) faults.push(`${first} answers do not say that they are replayed`)
  return faults
}

const effectFaults = async (sql: Sql, { events }: Command, text: string): Promise<ReadonlyArray<string>> => {
  const { commandId, orderId } = JSON.parse(text) as { readonly commandId: string; readonly orderId: string }
  const stored = (await storedEvents(sql)).filter((event) => event.commandId === commandId)
  const elsewhere = stored.filter((event) => event.stream !== `order-${orderId}`)
  if (stored.length === events && elsewhere.length === 0) return []
  return [`${stored.length} events instead of ${events}, ${elsewhere.length} of them elsewhere`]
}

/** Makes a new order, a shipment under an id that the server makes, and a confirmation that has nothing to do. */
const commands = async ({ url }: ServerProcess): Promise<ReadonlyArray<Command>> => {
  const order = orderId()
  const lines = [{ productId: "mug", quantity: 50, lineId: "all" }]
  await call(url, "POST", "/orders", { body: placement({ orderId: order, lines }) })
  const one = { items: [{ lineId: "all", quantity: 1 }] }
  return [
    { path: "/orders", body: placement(), key: randomUUID(), events: 2 },
    { path: `/orders/${order}/shipments`, body: one, key: randomUUID(), events: 1 },
    { path: `/orders/${order}/confirm`, body: {}, key: randomUUID(), events: 0 }
  ]
}

export const run = async ({ databaseUrl, killed, rounds, twins }: Plan) => {
  const settings = { DATABASE_URL: databaseUrl }
  const sql = open(databaseUrl)
  const faults: Array<string> = []
  let servers = await startBoth(settings)
  let answered = 0
  let cutOff = 0
  let orders = 0
  const note = (what: string, command: Command, found: ReadonlyArray<string>) => {
    for (const fault of found) faults.push(`${what}: ${command.path} ${command.key}: ${fault}`)
  }
  const restart = async () => {
    await killBoth(servers)
    await sessionsEnded(sql)
    servers = await startBoth(settings)
  }
  const ask = async (command: Command) => {
    const answers = (await Promise.all(sendAll(servers, command, twins))).filter(isAnswer)
    answered += answers.length
    if (answers.length < twins) note("unanswered", command, [`only ${answers.length} answers`])
    return answers
  }

  try {
    await fillCatalog(servers[0].url)
    for (let round = 0; round < rounds; round++) {
      const told = new Map<Command, string>()
      for (const command of await commands(servers[0])) {
        const answers = await ask(command)
        const [{ text } = { text: "{}" }] = answers
        told.set(command, text)
        note("at first", command, answerFaults(answers, true))
        note("at first", command, await effectFaults(sql, command, text))
        if (command.path !== "/orders") continue
        const other = await send(servers[1], { ...command, body: placement({ shippingCost: 1 }) })
        if (other?.status !== 422) note("another body", command, [`answered ${other?.status}`])
      }
      orders += 2
      await restart()
      for (const [command, text] of told) {
        note("after the kill", command, answerFaults(await ask(command), false, text))
        note("after the kill", command, await effectFaults(sql, command, text))
      }
    }

    for (let round = 0; round < killed; round++) {
      const all = await commands(servers[0])
      orders += 2
      // The kill comes when so many have been answered: none, the first, in the middle, or near the end.
      const wanted = (round * 67) % (all.length * twins)
      const enough = Promise.withResolvers<void>()
      let count = 0
      if (wanted === 0) enough.resolve()
      const counted = async (answer: Promise<Answer | undefined>) => {
        const told = await answer
        count += 1
        if (count === wanted) enough.resolve()
        return told
      }
      const sending = all.map((command) => sendAll(servers, command, twins).map(counted))
      await enough.promise
      await restart()
      for (const [index, command] of all.entries()) {
        const early = (await Promise.all(sending[index]!)).filter(isAnswer)
        cutOff += twins - early.length
        answered += early.length
        const late = await ask(command)
        const [{ text } = { text: "{}" }] = late
        note("cut off", command, answerFaults([...early, ...late], true))
        note("cut off", command, answerFaults(late, early.length === 0, early[0]?.text))
        note("cut off", command, await effectFaults(sql, command, text))
      }
    }
    const events = await storedEvents(sql)
    faults.push(...logFaults(events))
    const stored = new Set(events.filter(({ stream }) => stream.startsWith("order-")).map(({ stream }) => stream))
    if (stored.size !== orders) faults.push(`${stored.size} orders in the log instead of ${orders}`)
    return { faults, keys: (rounds + killed) * 3, answered, cutOff, orders, events: events.length }
  } finally {
    await killBoth(servers)
    await sql.close()
  }
}
