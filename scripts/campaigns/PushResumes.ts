/** A client of the event streams whose connection is cut again and again while orders come in, and what it got in all. */
import { followSse, followWs, type Follower } from "../../test/http/streams.ts"
import type { Transport } from "./PushClient.ts"
import { difference, type PushShop } from "./PushShop.ts"

export interface Cuts {
  readonly transport: Transport
  readonly cuts: number
  /** Of one customer; of all if absent. */
  readonly customer?: string
  readonly seed: number
}

/** Goes on after `after`, as a browser or as a program would. */
const follow = (
  transport: Transport,
  url: string,
  query: string,
  after: number,
  asBrowser: boolean
): Promise<Follower> => {
  if (transport === "WebSocket") return followWs(url, `?after=${after}${query}`)
  return asBrowser
    ? followSse(url, `?after=0${query}`, { "last-event-id": String(after) })
    : followSse(url, `?after=${after}${query}`)
}

const isEvent = (name: string) => name.startsWith("order.")

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

  const connectOnce = async (isEnough: (follower: Follower) => Promise<unknown>) => {
    const follower = await follow(transport, shop.url, query, after, next(2) === 0)
    await isEnough(follower)
    follower.cut()
    for (const { name, position } of follower.messages) {
      if (isEvent(name)) seen.push(position)
      after = position
    }
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
      await connectOnce(({ messages, until }) =>
        count === 0 ? Promise.resolve() : until(() => messages.length >= count)
      )
    }
  } finally {
    cutting.abort()
  }
  const end = await loading
  await connectOnce(({ until }) => until(({ position }) => position >= end))
  return { events: seen.length, faults: difference(`${transport} ${query}`, seen, shop.expected(customer)) }
}
