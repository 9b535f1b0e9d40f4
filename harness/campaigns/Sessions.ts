/**
 * Sessions that write and read at several servers in turn, while others write too. Each keeps the greatest token it was
 * given and sends it along with its reads; whatever then goes back, or lacks what the session wrote, is a fault.
 */
import { address, placement } from "../fixtures/Shop.ts"
import { type Answer, call, orderId, type Page, type Receipt, slug } from "../clients/HttpClient.ts"
import { seeded } from "../fixtures/SeededRandom.ts"

export interface Plan {
  readonly urls: ReadonlyArray<string>
  readonly sessions: number
  /** Each session has so many rounds: one write and two reads. */
  readonly rounds: number
  /** So many callers write for as long as there are sessions. */
  readonly writers: number
  readonly seed: number
  /** Without them reads are as fresh as they happen to be: what the tokens are good for. */
  readonly sendsTokens: boolean
}

export interface Seen {
  readonly reads: number
  /** So many reads were refused since the view was not there in time. */
  readonly behind: number
  readonly faults: ReadonlyArray<string>
}

const position = (token: string) => Number(token.split(".", 1)[0])
const freshness = (answer: Answer) => Number(/position=(\d+)/.exec(answer.headers.get("freshness") ?? "")?.[1])

const pick = <A>(draw: () => number, items: ReadonlyArray<A>): A => items[Math.floor(draw() * items.length)]!

const moveTo = (url: string, order: string, city: string) =>
  call(url, "PUT", `/orders/${order}/shipping-address`, { body: { ...address, city } })

const place = (url: string, extra: object) => call(url, "POST", "/orders", { body: placement(extra) })

export const run = async ({ rounds, seed, sendsTokens, sessions, urls, writers }: Plan): Promise<Seen> => {
  /** These are orders that everybody changes and reads. */
  const shared = [orderId(), orderId(), orderId()]
  const faults: Array<string> = []
  let reads = 0
  let behind = 0
  let open = sessions
  const isOpen = () => open > 0

  const write = async (answer: Promise<Answer>): Promise<Receipt & { readonly token: string }> => {
    const { body, headers, status } = await answer
    if (status !== 202) throw new Error(`a write was answered ${status} ${JSON.stringify(body)}`)
    return { ...(body as Receipt), token: headers.get("consistency-token") ?? "" }
  }

  const session = async (index: number) => {
    const draw = seeded(seed + index)
    const customerId = `customer-${seed}-${index}`
    await call(urls[0]!, "PUT", `/customers/${customerId}`, { body: { name: "S", email: "s@example.org" } })
    /** This is the least version that each order may be read at from now on. */
    const known = new Map<string, number>()
    const own: Array<string> = []
    let greatest = ""

    const keep = (token: string) => {
      if (greatest === "" || position(token) > position(greatest)) greatest = token
    }

    /**
     * Gives the answer to a read that is at least as fresh as the token; undefined if the view was not there in time.
     */
    const read = async (url: string, path: string, token: string) => {
      const headers = sendsTokens && token !== "" ? { "consistency-token": token, prefer: "wait=30" } : undefined
      const answer = await call(url, "GET", path, headers && { headers })
      reads += 1
      if (answer.status === 503 && slug(answer) === "projection-behind") {
        behind += 1
        return undefined
      }
      if (answer.status !== 200) {
        faults.push(`${path} with token ${token} was answered ${answer.status} ${slug(answer)}`)
        return undefined
      }
      const told = answer.headers.get("consistency-token") ?? ""
      if (token !== "" && Math.min(position(told), freshness(answer)) < position(token)) {
        faults.push(`${path} was read at ${told}, ${freshness(answer)} after ${token}`)
      }
      keep(told)
      return answer.body
    }

    const isAtLeastKnown = (order: string, version: number, how: string) => {
      const least = known.get(order) ?? 0
      if (version < least) faults.push(`${how} read ${order} at version ${version} after ${least}`)
      known.set(order, Math.max(version, least))
    }

    const readOrder = async (url: string, order: string, token: string) => {
      const body = await read(url, `/orders/${order}`, token)
      if (body !== undefined) isAtLeastKnown(order, (body as Receipt).version, "GET")
    }

    const readSome = {
      own: (url: string) => readOrder(url, pick(draw, own), greatest),
      shared: (url: string) => readOrder(url, pick(draw, shared), greatest),
      list: async (url: string) => {
        const sort = pick(draw, ["placedAt", "-placedAt", "updatedAt"])
        const page = await read(url, `/orders?customerId=${customerId}&sort=${sort}&limit=100`, greatest)
        if (page === undefined) return
        const { data } = page as Page
        if (data.length !== own.length) faults.push(`a list has ${data.length} of ${own.length} orders`)
        for (const { orderId, version } of data) isAtLeastKnown(orderId, version, "list")
      },
      counts: async (url: string) => {
        const counts = await read(url, `/orders/counts?customerId=${customerId}`, greatest)
        if (counts === undefined) return
        const sum = Object.values(counts as Readonly<Record<string, number>>).reduce((left, right) => left + right, 0)
        if (sum !== own.length) faults.push(`counts sum up to ${sum} of ${own.length} orders`)
      }
    }

    for (let round = 0; round < rounds; round++) {
      const [here, there] = draw() < 0.5 ? urls : urls.toReversed()
      const isNew = own.length === 0 || (own.length < 100 && draw() < 0.5)
      const stored = isNew
        ? await write(place(here!, { customerId }))
        : await write(moveTo(here!, pick(draw, own), `city ${round}`))
      if (isNew) own.push(stored.orderId)
      known.set(stored.orderId, stored.version)
      keep(stored.token)
      await readOrder(there!, stored.orderId, stored.token)
      await readSome[pick(draw, ["own", "shared", "list", "counts"] as const)](pick(draw, urls))
    }
    open -= 1
  }

  const writer = async (index: number) => {
    for (let number = 0; isOpen(); number++) {
      const url = urls[(index + number) % urls.length]!
      await (number % 3 === 0 ? place(url, {}) : moveTo(url, shared[number % shared.length]!, `city ${number}`))
    }
  }

  for (const order of shared) await place(urls[0]!, { orderId: order })
  await Promise.all([
    ...Array.from({ length: sessions }, (_, index) => session(index)),
    ...Array.from({ length: writers }, (_, index) => writer(index))
  ])
  return { reads, behind, faults }
}
