import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { EventStore } from "../../../src/eventstore/EventStore.ts"
import * as EventSourcing from "../../../src/kernel/EventSourcing.ts"
import { freshDatabase } from "../../../harness/vitest/FreshDatabase.ts"
import { patientConnections } from "../../../harness/clocks/Patience.ts"
import {
  OutOfStock,
  remove,
  Reservations,
  reserve,
  Sku,
  StillReserved,
  Stock
} from "../../../examples/stock-reservation/src/Stock.ts"

const mugs = Sku.make("mugs")
const layer = Layer.merge(Stock.layer, Reservations.layer)

const on = <A, E>(kernel: Layer.Layer<A, E>) => Layer.build(Layer.fresh(layer.pipe(Layer.provideMerge(kernel))))
const processOn = (url: string) => on(EventSourcing.layerPostgres(url, patientConnections))

const kernels = {
  "in memory": Effect.map(on(EventSourcing.layerMemory), (one) => [one]),
  "on PGlite": Effect.map(on(EventSourcing.layerPglite("memory")), (one) => [one]),
  "of two processes on one PostgreSQL": Effect.flatMap(freshDatabase, (url) =>
    Effect.all([processOn(url), processOn(url)])
  )
}

/** The log's events of the mugs, in the order of their commits. */
const history = Effect.gen(function* () {
  const log = yield* EventStore
  const streams = [Stock.guard(mugs, 0).streamId, Reservations.guard(mugs, 0).streamId]
  const pages = yield* Effect.forEach(streams, (stream) => log.readStream(stream, { after: 0, limit: 500 }))
  return pages.flatMap(({ events }) => events).toSorted((left, right) => Number(left.position - right.position))
})

const reserveOne = () => reserve(mugs, crypto.randomUUID(), 1)

for (const [where, processes] of Object.entries(kernels)) {
  describe(`stock and reservations ${where}`, () => {
    it.live("are tied at every commit, while both change", () =>
      Effect.gen(function* () {
        const contexts = yield* processes
        const at = (index: number) => Effect.provideContext(contexts[index % contexts.length]!)
        const receive = (quantity: number) =>
          Effect.flatMap(Stock, (stock) => stock.send(mugs, { _tag: "Receive", quantity }))
        yield* at(0)(receive(30))
        const tooMany = yield* at(0)(Effect.flip(reserve(mugs, crypto.randomUUID(), 31)))
        assert.deepStrictEqual(tooMany, new OutOfStock({ stock: 30, reserved: 0 }))

        const writers = Array.from({ length: 64 }, (_, index) => {
          if (index % 8 === 0) return Effect.asVoid(at(index / 8)(receive(1)))
          if (index % 8 === 1) return Effect.ignore(at(index)(remove(mugs, 1)))
          return Effect.ignore(at(index)(reserveOne()))
        })
        yield* Effect.all(writers, { concurrency: "unbounded" })
        yield* at(0)(receive(1))
        yield* at(1)(reserveOne())

        let [stock, reserved] = [0, 0]
        for (const { data, position, streamId, type } of yield* at(0)(history)) {
          const { quantity } = data as { readonly quantity: number }
          const signed = type === "Removed" || type === "Released" ? -quantity : quantity
          if (streamId === "stock-mugs") stock += signed
          else reserved += signed
          assert.isAtMost(reserved, stock, `at position ${position}`)
        }
        const refused = yield* at(0)(Effect.flip(remove(mugs, stock - reserved + 1)))
        assert.deepStrictEqual(refused, new StillReserved({ stock, reserved }))
      })
    )
  })
}
