/** A caller who knows nothing but the HTTP contract. */
import { randomBytes } from "node:crypto"
import { setImmediate } from "node:timers/promises"

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly body: unknown
}

export interface Receipt {
  readonly orderId: string
  readonly version: number
  readonly position: number
  readonly commandId: string
  readonly events: ReadonlyArray<string>
}

export interface CloudEvent {
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly sequence: string
  readonly streamversion: number
  readonly causationid: string
  readonly data: Readonly<Record<string, unknown>>
}

export interface Page {
  readonly data: ReadonlyArray<{ readonly orderId: string; readonly version: number; readonly status: string }>
  readonly page: { readonly next?: string; readonly hasMore: boolean }
}

export interface Call {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

export const call = async (url: string, method: string, path: string, options: Call = {}): Promise<Answer> => {
  // So that it is read first which connections the server has given up, if this process was held up for long.
  await setImmediate()
  const response = await fetch(url + path, {
    method,
    headers: { ...(options.body === undefined ? {} : { "content-type": "application/json" }), ...options.headers },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
    ...(options.signal === undefined ? {} : { signal: options.signal })
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: text === "" ? undefined : JSON.parse(text) }
}

/** The part of a problem's type after `/problems/`. */
export const slug = ({ body }: Answer): string => {
  const type = typeof body === "object" && body !== null && "type" in body ? String(body.type) : ""
  return type.slice(type.lastIndexOf("/") + 1)
}

const demand = (answer: Answer, status: number, what: string): Answer => {
  if (answer.status === status) return answer
  throw new Error(`${what}: expected ${status}, got ${answer.status} ${JSON.stringify(answer.body)}`)
}

export const orderId = (): string => {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(Date.now(), 0, 6)
  bytes[6] = 0x70 | (bytes[6]! & 0x0f)
  bytes[8] = 0x80 | (bytes[8]! & 0x3f)
  return `ord_${bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")}`
}

export const address = { name: "Ada", line1: "1 Mill Lane", city: "London", postalCode: "N1", country: "GB" }

export const placement = (extra: object = {}) => ({
  customerId: "ada",
  currency: "EUR",
  lines: [{ productId: "mug", quantity: 2 }],
  shippingAddress: address,
  ...extra
})

/** A price of a round number and no tax, so that a reference can compute with it. */
export const mug = { name: "Mug", unitPrice: 1250, currency: "EUR", taxBps: 0 }

/** What the embedded database has of its own. */
export const fillCatalog = async (url: string): Promise<void> => {
  demand(await call(url, "PUT", "/products/mug", { body: mug }), 202, "saving a product")
  const ada = { name: "Ada Lovelace", email: "ada@example.org" }
  demand(await call(url, "PUT", "/customers/ada", { body: ada }), 202, "saving a customer")
}

/** The whole history of an order; undefined if there is none. */
export const history = async (url: string, order: string): Promise<ReadonlyArray<CloudEvent> | undefined> => {
  const events: Array<CloudEvent> = []
  for (;;) {
    const answer = await call(url, "GET", `/orders/${order}/events?limit=500&after=${events.length}`)
    if (answer.status === 404 && events.length === 0) return undefined
    const page = demand(answer, 200, "reading a history").body as ReadonlyArray<CloudEvent>
    events.push(...page)
    if (page.length < 500) return events
  }
}

/** Every row of the list, page by page; at least as fresh as the token. */
export const list = async (
  url: string,
  options: { readonly token?: string; readonly limit?: number; readonly query?: string } = {}
): Promise<Array<Page["data"][number]>> => {
  const rows: Array<Page["data"][number]> = []
  const headers = options.token === undefined ? {} : { "consistency-token": options.token, prefer: "wait=30" }
  const query = `limit=${options.limit ?? 100}${options.query ?? ""}`
  for (let cursor = "", more = true; more;) {
    const path = `/orders?${query}${cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`}`
    const { data, page } = demand(await call(url, "GET", path, { headers }), 200, "listing").body as Page
    rows.push(...data)
    more = page.hasMore
    cursor = page.next ?? ""
  }
  return rows
}

/** Runs `work` for every item, so many at a time. */
export const inParallel = async <A>(
  items: Iterable<A>,
  concurrency: number,
  work: (item: A) => Promise<void>
): Promise<void> => {
  const iterator = items[Symbol.iterator]()
  const worker = async () => {
    for (let next = iterator.next(); next.done !== true; next = iterator.next()) await work(next.value)
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
}
