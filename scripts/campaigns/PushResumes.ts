/** A client of the event streams whose connection is cut again and again while orders come in, and what it got in all. */
import { type Asked, isEvent, over, type Transport } from "../system/PushConnection.ts"
import { difference, type PushShop } from "./PushShop.ts"

export interface Cuts {
  readonly transport: Transport
  readonly cuts: number
  /** Of one customer; of all if absent. */
  readonly customer?: string
  readonly seed: number
}

/** Goes on after `after`, as a browser or as a program would. */
const goOn = (query: string, after: number, asBrowser: boolean): Asked =>
  asBrowser
    ? { query: `?after=0${query}`, headers: { "last-event-id": String(after) } }
    : { query: `?after=${after}${query}` }

/** Numbers below a bound, the same ones for the same seed. */
const random = (seed: number) => {
  let state = seed >>> 0
  return (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

export const run = async (shop: PushShop, { customer, cuts, seed, transport }: Cuts) => {
  const next = random(seed)
  const query = customer === undefined ? "" : `&customerId=${customer}`
  const seen: Array<number> = []
  let after = shop.start

  const connectOnce = async (isEnough: (heard: number) => boolean) => {
    let heard = 0
    const asBrowser = next(2) === 0 && transport === "SSE"
    const { cut, ended, until } = await over[transport](shop.url, goOn(query, after, asBrowser), (message) => {
      heard += 1
      if (isEvent(message)) seen.push(message.position)
      after = Number(message.id ?? message.position)
    })
    if (!isEnough(heard)) await until(() => isEnough(heard))
    cut()
    // What had come by then is taken, too.
    await ended
  }
  const cutting = new AbortController()
  const load = async () => {
    while (!cutting.signal.aborted) await shop.place()
    return shop.last()
  }
  const loading = load()
  try {
    for (let cut = 0; cut < cuts; cut++) {
      const count = next(12)
      await connectOnce((heard) => heard >= count)
    }
  } finally {
    cutting.abort()
  }
  const end = await loading
  await connectOnce(() => after >= end)
  return { events: seen.length, faults: difference(`${transport} ${query}`, seen, shop.expected(customer)) }
}
