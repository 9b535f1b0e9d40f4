/** A caller who knows nothing but the HTTP contract. */
import { randomBytes } from "node:crypto"
import { setImmediate } from "node:timers/promises"
import { ada, untaxedMug } from "../fixtures/Shop.ts"

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** Parsed if it is JSON, else undefined; who reads it knows what should be there. */
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any
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
  /** Sent as JSON; a string is JSON already. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
}

/** Sends a request as it is and reads the whole answer, but for an event stream, which has no end. */
export const exchange = async (
  url: string,
  method: string,
  path: string,
  init: Omit<RequestInit, "method"> = {}
): Promise<Answer> => {
  // After this process was held up, one turn of the event loop tells which kept connections the server has closed.
  await setImmediate()
  const response = await fetch(url + path, { method, ...init })
  const { headers, status } = response
  const type = headers.get("content-type") ?? ""
  if (type === "text/event-stream") {
    await response.body?.cancel()
    return { status, headers, text: "", body: undefined }
  }
  const text = await response.text()
  return { status, headers, text, body: /json/.test(type) && text !== "" ? JSON.parse(text) : undefined }
}

export const call = (
  url: string,
  method: string,
  path: string,
  { body, headers, signal }: Call = {}
): Promise<Answer> =>
  exchange(url, method, path, {
    headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal })
  })

/** As `call`, but a connection that breaks is an answer with status 0, whose type says why. */
export const attempted = (url: string, method: string, path: string, options: Call): Promise<Answer> =>
  call(url, method, path, options).catch((cause: unknown) => ({
    status: 0,
    headers: new Headers(),
    text: "",
    body: { type: `/${String(cause)}` }
  }))

/** Gives the part of a problem's type after `/problems/`. */
export const slug = ({ body }: Answer): string => {
  const type = String(body?.type ?? "")
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

/** Saves the mug, untaxed, and Ada, so that there is something to order. */
export const fillCatalog = async (url: string): Promise<void> => {
  demand(await call(url, "PUT", "/products/mug", { body: untaxedMug }), 202, "saving a product")
  demand(await call(url, "PUT", "/customers/ada", { body: ada }), 202, "saving a customer")
}

/** Gives the whole history of an order; undefined if there is none. */
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

/** Gives every row of the list, page by page; at least as fresh as the token. */
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
