/** From the commit of an order to its push at a client, order view included: alone, and in a crowd under load. */
import { Effect } from "effect"
import { followSse, followWs, type Follower } from "../../test/http/streams.ts"
import { Orders } from "../../src/Orders.ts"
import * as PushShop from "../campaigns/PushShop.ts"
import * as BenchDatabase from "./BenchDatabase.ts"
import * as Measurement from "./Measurement.ts"

const sizes = {
  full: { alone: 2000, loaded: 10_000, callers: 8, sse: 60, ws: 10, unfiltered: 4 },
  quick: { alone: 300, loaded: 2000, callers: 8, sse: 60, ws: 10, unfiltered: 4 },
  tiny: { alone: 5, loaded: 10, callers: 2, sse: 2, ws: 2, unfiltered: 0 }
}
export type Size = keyof typeof sizes

/** When each order was known to be stored, and when its last event reached the client. */
interface Watched {
  readonly follower: Follower
  readonly arrived: Map<number, number>
}

const watch = async (follower: Follower): Promise<Watched> => {
  const arrived = new Map<number, number>()
  await follower.until(({ name, position }) => {
    arrived.set(position, performance.now())
    return name === "caught-up"
  })
  // Never true: it only looks.
  void follower.until(({ position }) => !arrived.set(position, performance.now())).catch(() => {})
  return { follower, arrived }
}

export const run = Effect.fnUntraced(function* (size: Size) {
  const { alone, callers, loaded, sse, unfiltered, ws } = sizes[size]
  const server = yield* BenchDatabase.server
  const ranOn = yield* BenchDatabase.facts(server)
  const url = yield* BenchDatabase.fresh(server.url)
  const shop = yield* PushShop.make(Orders.layerPostgres(url), {}, { customers: 60, lines: 2 })
  const filter = (index: number) => `?customerId=${PushShop.customerOf(index % 60)}`
  const open = (count: number, follow: (index: number) => Promise<Follower>) =>
    Effect.promise(() => Promise.all(Array.from({ length: count }, (_, index) => follow(index))))

  /** Milliseconds from the receipt to each client, of so many orders. */
  const measure = Effect.fnUntraced(function* (orders: number, concurrency: number) {
    const watched = {
      SSE: yield* Effect.promise(async () => watch(await followSse(shop.url))),
      WebSocket: yield* Effect.promise(async () => watch(await followWs(shop.url)))
    }
    const stored = new Map<number, number>()
    const place = Effect.map(shop.place, (position) => void stored.set(position, performance.now()))
    const began = performance.now()
    yield* Effect.forEach(Array.from({ length: orders }), () => place, { concurrency, discard: true })
    const seconds = (performance.now() - began) / 1000
    const latency = Effect.fnUntraced(function* ({ arrived, follower }: Watched) {
      yield* Effect.promise(() => follower.until(({ position }) => position >= shop.last()))
      follower.cut()
      return Measurement.percentiles([...stored].map(([position, at]) => Math.max(0, arrived.get(position)! - at)))
    })
    return {
      ordersPerSecond: Math.round(orders / seconds),
      millis: { SSE: yield* latency(watched.SSE), WebSocket: yield* latency(watched.WebSocket) }
    }
  })

  yield* measure(Math.min(200, alone), 1)
  const single = yield* measure(alone, 1)
  console.log("one order at a time, two clients:", JSON.stringify(single))
  const crowd = [
    ...(yield* open(sse, (index) => followSse(shop.url, filter(index)))),
    ...(yield* open(ws, (index) => followWs(shop.url, filter(index)))),
    ...(yield* open(unfiltered, () => followSse(shop.url)))
  ]
  const crowded = yield* measure(loaded, callers)
  for (const { cut } of crowd) cut()
  console.log(`${callers} callers, ${crowd.length + 2} clients:`, JSON.stringify(crowded))
  return { bench: "push", size, ranOn, callers, clients: crowd.length + 2, alone: single, crowded }
}, Effect.scoped)
