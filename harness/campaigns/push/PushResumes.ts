/**
 * A client of the event streams whose connection is cut again and again while orders come in, and what it got in all.
 */
import { seeded } from "../../fixtures/SeededRandom.ts"
import { type Asked, isEvent, over, type Transport } from "../../streams/StreamConnection.ts"
import { difference, type PushShop } from "./PushShop.ts"

export interface Cuts {
  readonly transport: Transport
  readonly cuts: number
  /** This customer's orders are followed; all orders if absent. */
  readonly customer?: string
  readonly seed: number
}

/** Goes on after the id or the position `after`, as a browser or as a program would. */
const goOn = (query: string, after: string, asBrowser: boolean): Asked =>
  asBrowser ? { query: `?after=0${query}`, headers: { "last-event-id": after } } : { query: `?after=${after}${query}` }

export const run = async (shop: PushShop, { customer, cuts, seed, transport }: Cuts) => {
  const random = seeded(seed)
  const query = customer === undefined ? "" : `&customerId=${customer}`
  const seen: Array<number> = []
  let last = shop.start
  let after = String(last)

  const connectOnce = async (isEnough: (heard: number) => boolean) => {
    let heard = 0
    const asBrowser = random() < 0.5 && transport === "SSE"
    const { cut, ended, until } = await over[transport](shop.url, goOn(query, after, asBrowser), (message) => {
      heard += 1
      if (isEvent(message)) seen.push(message.position)
      last = message.position
      after = message.id ?? String(last)
    })
    if (!isEnough(heard)) await until(() => isEnough(heard))
    cut()
    // What had come by then is taken, too.
    await ended
  }
  const cutting = new AbortController()
  /** However few orders a slow machine takes until all is cut, there are some for every connection. */
  const load = async () => {
    for (let placed = 0; placed < cuts || !cutting.signal.aborted; placed++) await shop.place()
    return shop.last()
  }
  const loading = load()
  try {
    for (let cut = 0; cut < cuts; cut++) {
      const count = Math.floor(random() * 12)
      await connectOnce((heard) => heard >= count)
    }
  } finally {
    cutting.abort()
  }
  const end = await loading
  await connectOnce(() => last >= end)
  return { events: seen.length, faults: difference(`${transport} ${query}`, seen, shop.expected(customer)) }
}
