/**
 * Many clients place orders and add lines through several servers while prices change, products and customers are withdrawn
 * and come back, and a product is now and then sold in another currency. It writes down what each client was told, and reads
 * the log from SQL.
 */
import { attempted, type CloudEvent, orderId, type Receipt, slug } from "../clients/HttpClient.ts"
import { seeded } from "../fixtures/SeededRandom.ts"
import { address } from "../fixtures/Shop.ts"
import type { Sql } from "../servers/Sql.ts"

/** A request as its client saw it; times in milliseconds. */
export interface Attempt {
  readonly kind: "place" | "addLine" | "product" | "customer"
  readonly productIds: ReadonlyArray<string>
  readonly customerId: string | undefined
  readonly sent: number
  readonly replied: number
  readonly status: number
  /** The slug of the problem; empty if there was none. */
  readonly slug: string
  readonly receipt: Receipt | undefined
}

/** An event as it is stored. */
export interface LoggedEvent extends Pick<CloudEvent, "type" | "data"> {
  readonly position: number
  readonly stream: string
  readonly version: number
  readonly commandId: string
}

export interface Recording {
  readonly attempts: ReadonlyArray<Attempt>
  readonly events: ReadonlyArray<LoggedEvent>
}

export interface Load {
  readonly urls: ReadonlyArray<string>
  readonly sql: Sql
  readonly clients: number
  /** Told how many requests were answered. */
  readonly isEnough: (attempts: number) => boolean
  readonly seed: number
}

const products = ["mug", "book", "lamp", "chair"]
const customers = ["ada", "alan"]

type Next = () => number
const below = (next: Next, count: number) => Math.floor(next() * count)
const pick = <A>(next: Next, choices: ReadonlyArray<A>): A => choices[below(next, choices.length)]!

/** Every saved price differs from nearly all others, so that a price tells when it was the current one. */
const product = (next: Next, id: string, currency = "EUR") => ({
  name: `${id} ${below(next, 1_000)}`,
  unitPrice: 1 + below(next, 1_000_000),
  currency,
  taxBps: below(next, 2_500)
})
const customer = (next: Next, id: string) => ({ name: `${id} ${below(next, 1_000_000)}`, email: `${id}@example.org` })

interface Request extends Pick<Attempt, "kind" | "productIds" | "customerId"> {
  readonly method: string
  readonly path: string
  readonly body?: object
}

const save = (next: Next, id: string, currency?: string): Request => {
  const body = product(next, id, currency)
  return { kind: "product", productIds: [id], customerId: undefined, method: "PUT", path: `/products/${id}`, body }
}
const saveCustomer = (next: Next, id: string): Request => {
  const body = customer(next, id)
  return { kind: "customer", productIds: [], customerId: id, method: "PUT", path: `/customers/${id}`, body }
}
const withdrawn = ({ customerId, kind, path, productIds }: Request): Request => ({
  kind,
  productIds,
  customerId,
  path,
  method: "DELETE"
})

const place = (next: Next, order: string): Request => {
  const productIds = products.filter(() => next() < 0.4)
  if (productIds.length === 0) productIds.push(pick(next, products))
  const customerId = pick(next, customers)
  const lines = productIds.map((productId) => ({ productId, quantity: 1 + below(next, 3) }))
  const body = { orderId: order, customerId, currency: "EUR", lines, shippingAddress: address, confirm: false }
  return { kind: "place", productIds, customerId, method: "POST", path: "/orders", body }
}
const addLine = (next: Next, order: string): Request => {
  const productId = pick(next, products)
  const body = { productId, quantity: 1 }
  const path = `/orders/${order}/lines`
  return { kind: "addLine", productIds: [productId], customerId: undefined, method: "POST", path, body }
}

const send = async (url: string, { body, method, path, ...about }: Request): Promise<Attempt> => {
  const sent = performance.now()
  const answer = await attempted(url, method, path, body === undefined ? {} : { body })
  const receipt = answer.status === 202 ? (answer.body as Receipt) : undefined
  return { ...about, sent, replied: performance.now(), status: answer.status, slug: slug(answer), receipt }
}

export const run = async ({ clients, isEnough, seed, sql, urls }: Load): Promise<Recording> => {
  const attempts: Array<Attempt> = []
  const stock = seeded(seed)
  const all = [...products.map((id) => save(stock, id)), ...customers.map((id) => saveCustomer(stock, id))]
  for (const request of all) attempts.push(await send(urls[0]!, request))

  const client = async (number: number) => {
    const next = seeded(seed * 1_000 + number)
    /** An order of this client's that still takes lines. */
    let open: string | undefined
    while (!isEnough(attempts.length)) {
      const url = pick(next, urls)
      const dice = next()
      if (dice < 0.08) {
        attempts.push(await send(url, save(next, pick(next, products))))
      } else if (dice < 0.1) {
        attempts.push(await send(url, saveCustomer(next, pick(next, customers))))
      } else if (dice < 0.13) {
        // It comes back soon, by another server perhaps, so that most orders can be placed.
        const away = pick(next, [
          withdrawn(save(next, pick(next, products))),
          withdrawn(saveCustomer(next, pick(next, customers))),
          save(next, pick(next, products), "USD")
        ])
        attempts.push(await send(url, away))
        const back = away.kind === "product" ? save(next, away.productIds[0]!) : saveCustomer(next, away.customerId!)
        attempts.push(await send(pick(next, urls), back))
      } else if (dice < 0.25 && open !== undefined) {
        attempts.push(await send(url, addLine(next, open)))
      } else {
        const order = orderId()
        const attempt = await send(url, place(next, order))
        if (attempt.receipt !== undefined) open = order
        attempts.push(attempt)
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, (_, number) => client(number)))
  const events = await sql.rows<LoggedEvent>(`
    SELECT "position"::float8 AS position, stream_id AS stream, version, type, data, metadata->>'commandId' AS "commandId"
    FROM ordinal.events ORDER BY "position"`)
  return { attempts, events }
}
