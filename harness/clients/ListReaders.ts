/**
 * Readers of order lists and single orders, on several servers in turn, who must never see anything go back: no row
 * empty, older, twice or gone, no position that was passed already.
 */
import { call, type Page } from "./HttpClient.ts"

export interface Reading {
  readonly faults: ReadonlyArray<string>
  /** So many pages of lists and single orders were read. */
  readonly reads: number
  /** So many lists were read whole, from the first page to the last. */
  readonly walks: number
}

export interface ReaderOptions {
  /** One after the other. */
  readonly urls: ReadonlyArray<string>
  /** Its orders do not change their place in the list. */
  readonly customer: string
  /** This is a token that was just answered. */
  readonly token: () => string
  /** This is an order with the version and the token that were just acknowledged. */
  readonly latest: () => { readonly orderId: string; readonly version: number; readonly token: string } | undefined
  readonly isOver: () => boolean
  /** Told of each answer. */
  readonly onRead: () => void
}

interface Memory {
  readonly versions: Map<string, number>
  readonly faults: Array<string>
  position: number
  reads: number
  walks: number
}

const positionOf = (token: string | null) => Number.parseInt(token ?? "", 10)

const noteOrder = (memory: Memory, who: string, orderId: string, version: number) => {
  const known = memory.versions.get(orderId) ?? 0
  if (version < known) memory.faults.push(`${who}: ${orderId} goes back from version ${known} to ${version}`)
  memory.versions.set(orderId, Math.max(known, version))
}

const get = async (memory: Memory, who: string, url: string, path: string, token?: string) => {
  const headers = token === undefined ? {} : { "consistency-token": token, prefer: "wait=30" }
  const answer = await call(url, "GET", path, { headers })
  memory.reads += 1
  if (answer.status !== 200) {
    memory.faults.push(`${who}: ${path} answered ${answer.status} ${JSON.stringify(answer.body)}`)
    return undefined
  }
  const position = positionOf(answer.headers.get("consistency-token"))
  if (!(position >= memory.position)) memory.faults.push(`${who}: position ${position} after ${memory.position}`)
  if (token !== undefined && position < positionOf(token)) memory.faults.push(`${who}: ${position} for token ${token}`)
  memory.position = Math.max(memory.position, position)
  return answer
}

/** This is a list: its query, and what must hold of its rows. */
interface List {
  readonly query: string
  /** True if a row that was listed once is listed in every walk. */
  readonly isStable: boolean
  /** A changed order comes again; the list goes on where it ended. */
  readonly isFeed?: boolean
}

const lists = (customer: string): ReadonlyArray<List> => [
  { query: "sort=placedAt", isStable: true },
  { query: "sort=-placedAt", isStable: true },
  { query: `sort=placedAt&customerId=${customer}`, isStable: true },
  { query: "sort=-placedAt&status=shipped,delivered", isStable: false },
  { query: `sort=placedAt&customerId=${customer}&paymentStatus=authorized`, isStable: false },
  { query: "sort=updatedAt", isStable: false, isFeed: true }
]

const reader = async (options: ReaderOptions, list: List): Promise<Memory> => {
  const { isOver, latest, onRead, token, urls } = options
  const who = list.query
  const memory: Memory = { versions: new Map(), faults: [], position: 0, reads: 0, walks: 0 }
  let cursor = ""
  let turn = 0
  const next = () => urls[turn++ % urls.length]!
  // The last walk begins when it is over already, so that the reader of changes has seen all.
  for (let isLast = false; !isLast;) {
    isLast = isOver()
    if (list.isFeed !== true) cursor = ""
    const before = list.isStable ? [...memory.versions.keys()] : []
    const listed = new Set<string>()
    for (let more = true; more;) {
      const at = cursor === "" ? "" : `&cursor=${encodeURIComponent(cursor)}`
      const fresh = turn % 7 === 0 && token() !== "" ? token() : undefined
      const answer = await get(memory, who, next(), `/orders?limit=50&${list.query}${at}`, fresh)
      onRead()
      if (answer === undefined) break
      const { data, page } = answer.body as Page
      for (const { orderId, version } of data) {
        if (listed.has(orderId) && list.isFeed !== true) memory.faults.push(`${who}: ${orderId} is listed twice`)
        listed.add(orderId)
        noteOrder(memory, who, orderId, version)
      }
      more = page.hasMore
      cursor = page.next ?? ""
    }
    for (const orderId of before) if (!listed.has(orderId)) memory.faults.push(`${who}: ${orderId} is gone`)
    memory.walks += 1
    const told = latest()
    if (told !== undefined) {
      const answer = await get(memory, who, next(), `/orders/${told.orderId}`, told.token)
      const order = answer?.body as { readonly orderId: string; readonly version: number } | undefined
      if (order !== undefined && order.version < told.version) {
        memory.faults.push(`${who}: ${told.orderId} has version ${order.version}, told was ${told.version}`)
      }
      if (order !== undefined && list.isStable === false) noteOrder(memory, who, order.orderId, order.version)
    }
  }
  return memory
}

/** Reads until it is over; `feed` is what the reader of changes knows in the end. */
export const read = async (
  options: ReaderOptions
): Promise<Reading & { readonly feed: ReadonlyMap<string, number> }> => {
  const all = lists(options.customer)
  const memories = await Promise.all(all.map((list) => reader(options, list)))
  return {
    faults: memories.flatMap(({ faults }) => faults),
    reads: memories.reduce((sum, { reads }) => sum + reads, 0),
    walks: memories.reduce((sum, { walks }) => sum + walks, 0),
    feed: memories[all.findIndex(({ isFeed }) => isFeed === true)]?.versions ?? new Map()
  }
}
