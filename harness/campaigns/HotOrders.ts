/** Many clients send commands to the same few orders through several servers, and write down what happened. */
import { randomUUID } from "node:crypto"
import { setTimeout as pause } from "node:timers/promises"
import {
  type Answer,
  attempted,
  call,
  type CloudEvent,
  history,
  inParallel,
  orderId,
  type Receipt,
  slug
} from "../clients/HttpClient.ts"
import { until } from "../clocks/Until.ts"
import { seeded } from "../fixtures/SeededRandom.ts"
import { any, type Operation, placing, request } from "../clients/Operation.ts"

/** This is one command as its caller saw it; times in milliseconds. */
export interface Attempt {
  readonly order: string
  readonly operation: Operation
  readonly sent: number
  readonly replied: number
  readonly status: number
  /** This is the slug of the problem; empty if there was none. */
  readonly slug: string
  readonly receipt: Receipt | undefined
  /** So often it was sent again, since it was not known what had become of it. */
  readonly repeats: number
}

export interface Recording {
  readonly attempts: ReadonlyArray<Attempt>
  /** Each order has this history, as each server tells it. */
  readonly histories: ReadonlyArray<ReadonlyMap<string, ReadonlyArray<CloudEvent>>>
  /** Each order has this status in the view of each server, once the view holds every acknowledged command. */
  readonly statuses: ReadonlyArray<ReadonlyMap<string, string>>
}

export interface Load {
  readonly urls: ReadonlyArray<string>
  /** In the end the orders are read from these, if others answer queries. */
  readonly readUrls?: ReadonlyArray<string>
  /** Gives each command a key, under which it is sent again until an answer says what became of it. */
  readonly isKeyed?: boolean
  readonly orders: number
  readonly clients: number
  /** Told how many commands were answered. */
  readonly isEnough: (attempts: number) => boolean
  readonly seed: number
  /** Tells whether clients may send this to the order with this number; they may send anything by default. */
  readonly isSent?: (order: number, operation: Operation) => boolean
}

const isOpen = (answer: Answer): boolean =>
  answer.status === 0 || answer.status >= 500 || slug(answer) === "idempotency-in-progress"

const attempt = async (
  url: string,
  order: string,
  operation: Operation,
  isKeyed: boolean
): Promise<Attempt & { readonly token: string }> => {
  const { body, method, path } = request(order, operation)
  const given = {
    ...(body === undefined ? {} : { body }),
    ...(isKeyed ? { headers: { "idempotency-key": randomUUID() } } : {})
  }
  const sent = performance.now()
  let answer = await attempted(url, method, path, given)
  let repeats = 0
  while (isOpen(answer)) {
    if (!isKeyed) break
    repeats++
    await pause(20)
    answer = await attempted(url, method, path, given)
  }
  const replied = performance.now()
  const receipt = answer.status === 202 ? (answer.body as Receipt) : undefined
  const token = answer.headers.get("consistency-token") ?? ""
  return { order, operation, sent, replied, status: answer.status, slug: slug(answer), receipt, repeats, token }
}

const byOrder = async <A>(orders: ReadonlyArray<string>, read: (order: string) => Promise<A | undefined>) => {
  const found = new Map<string, A>()
  await inParallel(orders, 4, async (order) => {
    const value = await read(order)
    if (value !== undefined) found.set(order, value)
  })
  return found
}

const position = (token: string) => Number(token.split(".", 1)[0])

export const run = async (load: Load): Promise<Recording> => {
  const { clients, isEnough, isKeyed = false, isSent = () => true, orders, seed, urls, readUrls = urls } = load
  const ids = Array.from({ length: orders }, orderId)
  const attempts: Array<Attempt> = []
  let newest = ""
  const send = async (url: string, order: string, operation: Operation) => {
    const { token, ...made } = await attempt(url, order, operation, isKeyed)
    attempts.push(made)
    if (made.receipt !== undefined && (newest === "" || position(token) > position(newest))) newest = token
  }
  const client = async (number: number) => {
    const next = seeded(seed * 1_000 + number)
    const below = (bound: number) => Math.floor(next() * bound)
    const pickUrl = () => urls[below(urls.length)]!
    const operationFor = (order: number) => {
      let operation = any(next)
      while (!isSent(order, operation)) operation = any(next)
      return operation
    }
    // Everybody begins with placing, so that all orders are there soon, whoever gets to place which.
    for (const order of ids.filter((_, index) => index % 4 === number % 4)) await send(pickUrl(), order, placing(next))
    while (!isEnough(attempts.length)) {
      const [url, order] = [pickUrl(), below(orders)]
      await send(url, ids[order]!, operationFor(order))
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))

  const headers = { "consistency-token": newest, prefer: "wait=30" }
  /**
   * A program that does not know this form of token, because it is older, is asked without one until it is as fresh.
   */
  const read = async (url: string, order: string) => {
    const answer = await call(url, "GET", `/orders/${order}`, { headers })
    if (slug(answer) !== "invalid-token") return answer
    return until(
      () => call(url, "GET", `/orders/${order}`),
      ({ headers }) => position(headers.get("consistency-token") ?? "") >= position(newest),
      { what: "A view that is as fresh as the newest command" }
    )
  }
  const status = (url: string) => async (order: string) => {
    const { body, status } = await read(url, order)
    return status === 200 && typeof body === "object" && body !== null && "status" in body
      ? String(body.status)
      : undefined
  }
  const histories: Array<ReadonlyMap<string, ReadonlyArray<CloudEvent>>> = []
  const statuses: Array<ReadonlyMap<string, string>> = []
  for (const url of readUrls) {
    histories.push(await byOrder(ids, (order) => history(url, order)))
    statuses.push(await byOrder(ids, status(url)))
  }
  return { attempts, histories, statuses }
}
