/**
 * How long the first command takes on an order whose history is long, after a restart: with its snapshot, with the whole
 * history replayed, and on a new order. Once with the program warm (a new registry, open connections), and once with a
 * server process that was started for that one request.
 */
import { Effect } from "effect"
import { Database } from "../../src/database/Database.ts"
import type { OrderId } from "../../src/order/OrderId.ts"
import { placement } from "../../harness/fixtures/Shop.ts"
import { call, fillCatalog } from "../../harness/clients/HttpClient.ts"
import { start } from "../../harness/servers/ServerProcess.ts"
import { fresh } from "../../harness/servers/FreshDatabase.ts"
import * as BenchDatabase from "../../harness/bench/BenchDatabase.ts"
import * as LongOrders from "../../harness/bench/LongOrders.ts"

const sizes = {
  full: { events: 9_900, samples: 40, starts: 7 },
  quick: { events: 9_900, samples: 10, starts: 2 },
  tiny: { events: 410, samples: 2, starts: 0 }
}
export type Size = keyof typeof sizes

const percentiles = (milliseconds: ReadonlyArray<number>) => {
  const sorted = [...milliseconds].sort((left, right) => left - right)
  const at = (part: number) => Number((sorted[Math.ceil(sorted.length * part) - 1] ?? Number.NaN).toFixed(1))
  return { p50: at(0.5), p95: at(0.95) }
}

const timed = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.suspend(() => {
    const start = performance.now()
    return Effect.map(effect, () => performance.now() - start)
  })

/** A server that does nothing but this one request; the request's milliseconds. */
const inNewServer = (url: string, method: string, path: string, body: object) =>
  Effect.promise(async () => {
    const server = await start({ DATABASE_URL: url })
    const began = performance.now()
    const { status } = await call(server.url, method, path, { body })
    const took = performance.now() - began
    await server.kill()
    if (status !== 202) throw new Error(`${method} ${path} was answered ${status}`)
    return took
  })

export const run = Effect.fnUntraced(function* (size: Size) {
  const { events, samples, starts } = sizes[size]
  const server = yield* BenchDatabase.server
  const url = yield* fresh(server.url)
  const ranOn = yield* BenchDatabase.facts(server)

  const measure = Effect.gen(function* () {
    const warm: Record<string, { readonly p50: number; readonly p95: number }> = {}
    const show = (name: string, took: ReadonlyArray<number>) => {
      const found = percentiles(took)
      console.log(`${name.padEnd(40)} p50 ${found.p50} ms, p95 ${found.p95} ms`)
      return found
    }
    const snapshotKiB: Record<string, number> = {}
    const grown: Array<{ readonly life: string; readonly orderId: OrderId; version: number }> = []
    for (const life of Object.keys(LongOrders.lives)) {
      const { orderId, snapshot } = yield* LongOrders.grow(life, events)
      snapshotKiB[life] = Math.round(snapshot.bytes / 102.4) / 10
      grown.push({ life, orderId, version: events })
    }
    for (const order of grown) {
      for (const [way, aggregate] of Object.entries(LongOrders.aggregates)) {
        const took: Array<number> = []
        for (let sample = 0; sample < samples; sample++) {
          order.version += 1
          const command = LongOrders.lives[order.life]!(order.orderId, order.version)
          took.push(
            yield* LongOrders.inNewProcess((registry) => timed(registry.send(aggregate, order.orderId, command)))
          )
        }
        warm[`${order.life}, ${way}`] = show(`warm, ${events} events of ${order.life}, ${way}`, took)
      }
    }
    const fresh: Array<number> = []
    for (let sample = 0; sample < samples; sample++) {
      const orderId = LongOrders.newOrderId()
      const command = LongOrders.place(orderId)
      fresh.push(
        yield* LongOrders.inNewProcess((registry) =>
          timed(registry.send(LongOrders.aggregates.snapshot, orderId, command))
        )
      )
    }
    warm["new order"] = show("warm, new order", fresh)

    const started: Record<string, { readonly p50: number; readonly p95: number }> = {}
    if (starts > 0) {
      const { reads: sql } = yield* Database
      const catalog = yield* Effect.promise(() => start({ DATABASE_URL: url }))
      yield* Effect.promise(() => fillCatalog(catalog.url))
      yield* Effect.promise(catalog.stop)
      const edited = `/orders/${grown[0]!.orderId}/lines/line_1`
      const ways = {
        "edits, snapshot": ["PATCH", edited, Effect.void],
        "edits, replay": ["PATCH", edited, sql`DELETE FROM ordinal.snapshots`],
        "new order": ["POST", "/orders", Effect.void]
      } as const
      for (const [name, [method, path, before]] of Object.entries(ways)) {
        const took: Array<number> = []
        for (let sample = 0; sample < starts; sample++) {
          yield* before
          const body = method === "POST" ? placement() : { quantity: 90_001 + ((sample * 7 + took.length) % 9_000) }
          took.push(yield* inNewServer(url, method, path, body))
        }
        started[name] = show(`just started, ${name}`, took)
      }
    }
    return { snapshotKiB, warm, started }
  })
  const found = yield* measure.pipe(Effect.provide(LongOrders.database(url)))
  return { bench: "activate", size, ranOn, events, ...found }
}, Effect.scoped)
