/**
 * Kills the server in the middle of a stream of commands, again and again, and looks after each restart whether
 * everything that was answered 202 is still there: each order with its whole history, the log without a gap, the list
 * with each order exactly once.
 */
import { setTimeout as sleep } from "node:timers/promises"
import { untilSo } from "../clocks/Until.ts"
import { placement } from "../fixtures/Shop.ts"
import {
  type Answer,
  call,
  type CloudEvent,
  fillCatalog,
  history,
  inParallel,
  list,
  orderId
} from "../clients/HttpClient.ts"
import { type Environment, type ServerProcess, start } from "../servers/ServerProcess.ts"

export interface Plan {
  readonly settings: Environment
  /** The embedded database brings its own. */
  readonly needsCatalog: boolean
  readonly rounds: number
  readonly clients: number
  /** The kill comes at random within so many milliseconds after the first answers. */
  readonly milliseconds: number
  /** Called while no server runs, after each kill. */
  readonly inspect?: () => Promise<ReadonlyArray<string>>
}

export interface Report {
  readonly faults: ReadonlyArray<string>
  /** So many commands were answered 202. */
  readonly acknowledged: number
  /** So many commands got no answer because of a kill, and so many of these were stored nevertheless. */
  readonly unanswered: number
  readonly storedUnanswered: number
  /** Milliseconds from each start of the process to its first 200 on /health/ready, in order. */
  readonly starts: ReadonlyArray<number>
}

const placed = ["order.placed.v1", "order.confirmed.v1"]
const shipped = ["order.items-shipped.v1"]

/** These are the events of an order that a client was told of, and those that it asked for without an answer. */
interface Known {
  acknowledged: Array<string>
  unanswered: ReadonlyArray<string>
}

interface Knowledge {
  readonly orders: Map<string, Known>
  acknowledged: number
  unanswered: number
  storedUnanswered: number
  readonly faults: Array<string>
}

const note = (knowledge: Knowledge, order: string, events: ReadonlyArray<string>, answer: Answer | undefined) => {
  const known = knowledge.orders.get(order) ?? { acknowledged: [], unanswered: [] }
  knowledge.orders.set(order, known)
  if (answer === undefined) {
    knowledge.unanswered += 1
    known.unanswered = events
  } else if (answer.status === 202) {
    knowledge.acknowledged += 1
    known.acknowledged.push(...events)
  } else {
    knowledge.faults.push(`${order}: answered ${answer.status} ${JSON.stringify(answer.body)}`)
  }
}

/** Places orders, and ships every second one, until the server is gone. */
const client = async ({ url }: ServerProcess, knowledge: Knowledge) => {
  for (let number = 0; ; number++) {
    const order = orderId()
    const place = await call(url, "POST", "/orders", { body: placement({ orderId: order }) }).catch(() => undefined)
    note(knowledge, order, placed, place)
    if (place === undefined) return
    if (number % 2 === 0) continue
    const ship = await call(url, "POST", `/orders/${order}/shipments`, { body: {} }).catch(() => undefined)
    note(knowledge, order, shipped, ship)
    if (ship === undefined) return
  }
}

const checkHistory = (order: string, known: Known, events: ReadonlyArray<CloudEvent>, knowledge: Knowledge) => {
  const types = events.map((event) => event.type).join()
  const all = [...known.acknowledged, ...known.unanswered]
  if (types === all.join()) {
    if (known.unanswered.length > 0) knowledge.storedUnanswered += 1
    known.acknowledged = all
  } else if (types !== known.acknowledged.join()) {
    knowledge.faults.push(
      `${order}: has ${types || "nothing"}, acknowledged was ${known.acknowledged.join() || "nothing"}`
    )
  }
  known.unanswered = []
  events.forEach((event, index) => {
    if (event.streamversion !== index + 1)
      knowledge.faults.push(`${order}: version ${event.streamversion} at ${index + 1}`)
  })
}

/** Events of the catalog stand before all orders. */
const checkPositions = (positions: ReadonlyArray<number>, faults: Array<string>) => {
  const sorted = positions.toSorted((left, right) => left - right)
  sorted.forEach((position, index) => {
    const expected = sorted[0]! + index
    if (position !== expected && faults.length < 20) faults.push(`position ${position} stands where ${expected} should`)
  })
  if ((sorted[0] ?? 1) > 20) faults.push(`the first order's position is ${sorted[0]}`)
}

const check = async ({ url }: ServerProcess, knowledge: Knowledge) => {
  const { faults, orders } = knowledge
  const positions: Array<number> = []
  const stored = new Set<string>()
  await inParallel(orders, 8, async ([order, known]) => {
    const events = (await history(url, order)) ?? []
    if (events.length > 0) stored.add(order)
    positions.push(...events.map((event) => Number(event.sequence)))
    checkHistory(order, known, events, knowledge)
  })
  checkPositions(positions, faults)
  // As fresh as all that was just read from the log, also of orders whose placing nobody was told of.
  const last = orderId()
  const answer = await call(url, "POST", "/orders", { body: placement({ orderId: last }) })
  note(knowledge, last, placed, answer)
  stored.add(last)
  const token = answer.headers.get("consistency-token") ?? ""
  const listed = (await list(url, { token, limit: 37 })).map((row) => row.orderId)
  if (new Set(listed).size !== listed.length) faults.push("the list shows an order twice")
  for (const order of stored) if (!listed.includes(order)) faults.push(`${order}: is not in the list`)
  for (const order of listed) if (!stored.has(order)) faults.push(`${order}: is in the list and not in the log`)
}

export const run = async (plan: Plan): Promise<Report> => {
  const knowledge: Knowledge = {
    orders: new Map(),
    acknowledged: 0,
    unanswered: 0,
    storedUnanswered: 0,
    faults: []
  }
  const starts: Array<number> = []
  for (let round = 0; round <= plan.rounds; round++) {
    const began = performance.now()
    const server = await start(plan.settings)
    starts.push(Math.round(performance.now() - began))
    try {
      if (round === 0 && plan.needsCatalog) await fillCatalog(server.url)
      if (round > 0) await check(server, knowledge)
      if (round === plan.rounds) break
      const clients = Array.from({ length: plan.clients }, () => client(server, knowledge))
      const before = knowledge.acknowledged
      await untilSo(() => knowledge.acknowledged > before + 10, { what: "The first answers", pause: 1 })
      await sleep(Math.random() * plan.milliseconds)
      await server.kill()
      await Promise.all(clients)
    } finally {
      await server.kill()
    }
    knowledge.faults.push(...((await plan.inspect?.()) ?? []))
  }
  const { acknowledged, faults, storedUnanswered, unanswered } = knowledge
  return { faults, acknowledged, unanswered, storedUnanswered, starts }
}
