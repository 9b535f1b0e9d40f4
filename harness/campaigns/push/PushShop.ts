/** A server seen from outside: customers, orders of theirs, and which client has to be pushed what. */
import { address, untaxedMug } from "../../fixtures/Shop.ts"
import { type Answer, call, inParallel, type Receipt } from "../../clients/HttpClient.ts"
import type { Sql } from "../../servers/Sql.ts"
import { now } from "../../streams/StreamClients.ts"

export const customerOf = (index: number) => `customer-${index}`

const products = Array.from({ length: 10 }, (_, index) => `product-${index}`)

/** Orders that may still be changed are few, so that the server keeps few. */
const remembered = 500

const accepted = (answer: Answer): Answer => {
  const { body, status } = answer
  if (status !== 202) throw new Error(`a command was answered ${status} ${JSON.stringify(body)}`)
  return answer
}

/** Gives the position in the answer's token, as the contract writes it. */
const positionOf = ({ headers }: Answer) => Number(headers.get("consistency-token")?.split(".")[0])

export type PushShop = Awaited<ReturnType<typeof make>>

/** `lines`: of each order, which makes its first event so much larger. */
export const make = async (
  url: string,
  { customers, lines }: { readonly customers: number; readonly lines: number }
) => {
  const send = async (method: string, path: string, body: unknown) => accepted(await call(url, method, path, { body }))
  let start = 0
  for (const product of products) start = positionOf(await send("PUT", `/products/${product}`, untaxedMug))
  await inParallel(Array.from({ length: customers }).keys(), 16, async (index) => {
    const customer = { name: "A customer", email: "customer@example.org" }
    start = Math.max(start, positionOf(await send("PUT", `/customers/${customerOf(index)}`, customer)))
  })

  const changeable: Array<string> = []
  /** This is the time of each command's answer, by the position of its last event. */
  const answered = new Map<number, number>()
  const expected = new Map<string, Array<number>>()
  let last = start
  let placed = 0

  const took = ({ body }: Answer) => {
    const { events, position } = body as Receipt
    answered.set(position, now())
    last = Math.max(last, position)
    return events.map((_, index) => position - index)
  }

  /** One more order, two events, of one customer after the other; the position of the last. */
  const place = async () => {
    const index = placed++
    const customerId = customerOf(index % customers)
    const answer = await send("POST", "/orders", {
      customerId,
      currency: untaxedMug.currency,
      lines: Array.from({ length: lines }, (_, line) => ({
        productId: products[(index + line) % products.length],
        quantity: 1
      })),
      shippingAddress: address
    })
    const { orderId, position } = answer.body as Receipt
    changeable[index % remembered] = orderId
    const known = expected.get(customerId)
    if (known === undefined) expected.set(customerId, took(answer))
    else known.push(...took(answer))
    return position
  }
  const change = async (index: number) => {
    const order = changeable[(index * 7919) % changeable.length]
    if (order === undefined) return place()
    const line1 = `${index} Mill Lane`
    return took(await send("PUT", `/orders/${order}/shipping-address`, { ...address, line1 })).length
  }

  return {
    url,
    /** This is the position before the first order. */
    start,
    last: () => last,
    answered,
    place,
    /** Orders and changes of them in turn. */
    command: (index: number) => (index % 2 === 0 ? place() : change(index)),
    /** These are the positions of the events of one customer's orders, or of all, if all were made by `place`. */
    expected: (customer?: string): ReadonlyArray<number> =>
      (customer === undefined ? [...expected.values()].flat() : (expected.get(customer) ?? [])).toSorted(
        (left, right) => left - right
      )
  }
}

/** Tells in words the first difference of two lists; nothing if they are equal. */
export const difference = (
  who: string,
  actual: ReadonlyArray<number>,
  wanted: ReadonlyArray<number>
): ReadonlyArray<string> => {
  const at = wanted.findIndex((position, index) => actual[index] !== position)
  if (at < 0 && actual.length === wanted.length) return []
  return [
    `${who}: ${actual.length} events, not ${wanted.length}; after ${wanted[at - 1]} came ${actual[at]}, not ${wanted[at]}`
  ]
}

export interface LoggedEvent {
  readonly position: number
  readonly customer: string
  /** When the database made it, before the commit: milliseconds since 1970. */
  readonly recorded: number
}

/** Gives events of orders, as they are stored. */
export const logged = (sql: Sql, after: number) =>
  sql.rows<LoggedEvent>(`
    SELECT "position"::float8 AS position, metadata->>'customerId' AS customer,
      extract(epoch FROM recorded_at)::float8 * 1000 AS recorded
    FROM ordinal.events WHERE "position" > ${after} AND stream_id LIKE 'order-%' ORDER BY "position"`)
