/**
 * `node src/main.ts <place>`: 64 buyers want a mug at the same time, and there are 40. The place is `memory`,
 * `pglite:<directory>` or `postgres://…`; on PostgreSQL buyers of several processes compete as well.
 */
import { Effect, Layer, Redacted, Result } from "effect"
import { Database, EventSourcing } from "ordinal/kernel"
import { remove, Reservations, reserve, Sku, Stock } from "./Stock.ts"

const program = Effect.gen(function* () {
  const stock = yield* Stock
  const mugs = Sku.make(crypto.randomUUID())
  yield* stock.send(mugs, { _tag: "Receive", quantity: 40 })
  const buyers = Array.from({ length: 64 }, () => Effect.result(reserve(mugs, crypto.randomUUID(), 1)))
  const results = yield* Effect.all(buyers, { concurrency: "unbounded" })
  console.log(`${results.filter(Result.isSuccess).length} of ${buyers.length} buyers have a mug.`)
  const refused = yield* Effect.flip(remove(mugs, 1))
  console.log(refused.message)
})

const kernelAt = (place: string) =>
  place === "memory" ? EventSourcing.layerMemory : EventSourcing.layer(Database.layer({ url: Redacted.make(place) }))

const items = Layer.merge(Stock.layer, Reservations.layer)
const place = process.argv[2] ?? "memory"
await Effect.runPromise(program.pipe(Effect.provide(items), Effect.provide(kernelAt(place))))
