/** What must hold for every client of the event streams, whatever happens to its connection and to the others. */
import { Effect, Fiber } from "effect"
import { followSse, followWs, type Follower } from "../../test/http/streams.ts"
import { customerOf, type PushShop } from "./PushShop.ts"

export type Transport = "SSE" | "WebSocket"

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
    ? followSse(url, `?${query.slice(1)}`, { "last-event-id": String(after) })
    : followSse(url, `?after=${after}${query}`)
}

const isEvent = (name: string) => name.startsWith("order.")

/** Where two lists part, in words; nothing if they are equal. */
const difference = (
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

/** Numbers below a bound, the same ones for the same seed. */
const random = (seed: number) => {
  let state = seed >>> 0
  return (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * bound)
  }
}

/** A client whose connection is cut again and again while orders come in, and what it got in all. */
export const resume = Effect.fnUntraced(function* (
  shop: PushShop,
  {
    customer,
    cuts,
    seed,
    transport
  }: { readonly transport: Transport; readonly cuts: number; readonly customer?: string; readonly seed: number }
) {
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
  let isCutting = true
  const load = yield* Effect.forkChild(Effect.repeat(shop.place, { while: () => isCutting }))
  for (let cut = 0; cut < cuts; cut++) {
    const count = next(12)
    yield* Effect.promise(() =>
      connectOnce(({ messages, until }) => (count === 0 ? Promise.resolve() : until(() => messages.length >= count)))
    )
  }
  isCutting = false
  const end = yield* Fiber.join(load)
  yield* Effect.promise(() => connectOnce(({ until }) => until(({ position }) => position >= end)))
  return { events: seen.length, faults: difference(`${transport} ${query}`, seen, shop.expected(customer)) }
})

export interface Crowd {
  /** Clients filtered to a customer each. */
  readonly sse: number
  readonly ws: number
  /** Of all orders, both transports in turn. */
  readonly unfiltered: number
  /** Unfiltered, and they never read. */
  readonly deaf: number
  readonly orders: number
}

/** Many clients under load: each gets its contiguous slice, those that do not read are cut off and held back little. */
export const crowd = Effect.fnUntraced(function* (shop: PushShop, { deaf, orders, sse, unfiltered, ws }: Crowd) {
  const open = (transport: Transport, query: string) => follow(transport, shop.url, query, shop.start, false)
  const some = (
    count: number,
    make: (index: number) => { readonly transport: Transport; readonly customer?: string }
  ) =>
    Promise.all(
      Array.from({ length: count }, async (_, index) => {
        const { customer, transport } = make(index)
        const follower = await open(transport, customer === undefined ? "" : `&customerId=${customer}`)
        return { customer, follower, name: `${transport} ${index} ${customer ?? "all"}` }
      })
    )
  const either = (index: number): Transport => (index % 2 === 0 ? "SSE" : "WebSocket")
  const readers = (yield* Effect.promise(() =>
    Promise.all([
      some(sse, (index) => ({ transport: "SSE", customer: customerOf(index) })),
      some(ws, (index) => ({ transport: "WebSocket", customer: customerOf(index) })),
      some(unfiltered, (index) => ({ transport: either(index) }))
    ])
  )).flat()
  const stuck = yield* Effect.promise(() => some(deaf, (index) => ({ transport: either(index) })))
  for (const { follower } of stuck) follower.stopReading()

  let heldBack = 0
  const placeAndLook = Effect.tap(shop.place, () =>
    Effect.sync(() => {
      heldBack = Math.max(heldBack, shop.heldBack())
    })
  )
  const began = performance.now()
  yield* Effect.forEach(Array.from({ length: orders }), () => placeAndLook, { concurrency: 8, discard: true })
  const seconds = (performance.now() - began) / 1000

  const faults: Array<string> = []
  for (const { customer, follower, name } of readers) {
    const wanted = shop.expected(customer)
    yield* Effect.promise(() => follower.until(({ position }) => position >= (wanted.at(-1) ?? 0)))
    faults.push(...difference(name, follower.positions(), wanted))
    follower.cut()
  }
  const slow: Array<string> = []
  for (const { follower, name } of stuck) {
    // What its connection still held is read now; what comes then is the end.
    follower.startReading()
    const all = follower.until(({ position }) => position >= shop.last())
    const end = yield* Effect.promise(() => Promise.race([follower.ended, all.catch(() => follower.ended)]))
    if (!("code" in end)) {
      faults.push(`${name} never read and was not cut off`)
      continue
    }
    slow.push(`${end.code} ${end.reason}`.trim())
    const got = follower.positions()
    faults.push(...difference(`${name}, deaf`, got, shop.expected().slice(0, got.length)))
    const resumeAfter = /^4008 .* (\d+)$/.exec(slow.at(-1)!)?.[1]
    if (resumeAfter !== undefined && Number(resumeAfter) !== got.at(-1))
      faults.push(`${name} was told ${resumeAfter}, got ${got.at(-1)}`)
  }
  if (heldBack > 1024 * 1024) faults.push(`the server held back ${heldBack} bytes for one client`)
  return {
    faults,
    slow,
    heldBack,
    ordersPerSecond: Math.round(orders / seconds)
  }
})

/**
 * What clients that never read cost while they may stay: memory of this process, the clients' ends included, compared
 * with the same load without them.
 */
export const deafCost = Effect.fnUntraced(function* (
  shop: PushShop,
  { deaf, orders }: { readonly deaf: number; readonly orders: number }
) {
  let heldBack = 0
  const load = Effect.gen(function* () {
    let most = 0
    const place = Effect.tap(shop.place, () =>
      Effect.sync(() => {
        heldBack = Math.max(heldBack, shop.heldBack())
        most = Math.max(most, process.memoryUsage.rss())
      })
    )
    yield* Effect.forEach(Array.from({ length: orders }), () => place, { concurrency: 8, discard: true })
    return most
  })
  yield* load
  const without = yield* load
  const followers = yield* Effect.promise(() =>
    Promise.all(
      Array.from({ length: deaf }, async (_, index) => {
        const follower = await follow(index % 2 === 0 ? "SSE" : "WebSocket", shop.url, "", shop.start, false)
        follower.stopReading()
        return follower
      })
    )
  )
  const memory = Math.round(((yield* load) - without) / 1024 ** 2)
  for (const { cut } of followers) cut()
  const faults: Array<string> = []
  if (memory > 100) faults.push(`${deaf} clients that never read cost ${memory} MiB`)
  if (heldBack > 1024 * 1024) faults.push(`the server held back ${heldBack} bytes for one client`)
  return { faults, heldBack, memoryMiB: memory }
})
