/** Lists products and customers from memory, for tests and trials. */
import { Effect, Layer } from "effect"
import * as StreamId from "../../eventstore/StreamId.ts"
import * as CatalogEntry from "./CatalogEntry.ts"
import { after, CatalogQueries, matches, page } from "./CatalogQueries.ts"
import * as MemoryFold from "../MemoryFold.ts"

const isOfCatalog = (category: string) => CatalogEntry.categories.some((known) => known === category)

export const make = Effect.gen(function* () {
  const entries = new Map<string, CatalogEntry.CatalogEntry>()
  const { awaitPosition, position, read } = yield* MemoryFold.make((event) => {
    const { streamId } = event
    if (isOfCatalog(StreamId.category(streamId)))
      entries.set(streamId, CatalogEntry.evolve(entries.get(streamId), event))
  })
  return CatalogQueries.of({
    list: Effect.fnUntraced(function* (query, token) {
      const key = yield* Effect.fromResult(after(query))
      return yield* read((freshness) => {
        const found = [...entries.values()]
          .filter((entry) => matches(query, entry))
          .filter(({ id }) => id > key)
          .toSorted((left, right) => (left.id < right.id ? -1 : 1))
        return page(query, found.slice(0, query.limit + 1), freshness)
      }, token)
    }),
    parkedAt: () => Effect.succeed(undefined),
    position,
    awaitPosition
  })
})

export const layer = Layer.effect(CatalogQueries, make)
