/**
 * `node src/till.ts <place>` pays with a card. The cards are where the place says: in `memory`, in `pglite:<directory>`, in
 * `postgres://…`, or on the server at `http://…`. The program is the same.
 */
import { Effect, Layer, Redacted } from "effect"
import { AggregateClient } from "ordinal/client"
import { Database, EventSourcing } from "ordinal/kernel"
import { CardId, GiftCards, pay } from "./GiftCard.ts"

const program = Effect.gen(function* () {
  const cards = yield* GiftCards
  yield* cards.send(CardId.make("xmas"), { _tag: "Issue", cents: 5_000 })
  const left = yield* pay("xmas", 1_500, "receipt 1")
  const again = yield* pay("xmas", 1_500, "receipt 1")
  const refused = yield* Effect.flip(pay("xmas", 3_501, "receipt 2"))
  console.log(`${left} cents are left, and ${again} after the same receipt. ${refused.message}`)
})

const cardsAt = (place: string) => {
  if (/^https?:/.test(place)) return AggregateClient.layer(GiftCards, { baseUrl: place })
  if (place === "memory") return Layer.provide(GiftCards.layer, EventSourcing.layerMemory)
  const database = Database.layer({ url: Redacted.make(place) })
  return Layer.provide(GiftCards.layer, EventSourcing.layer(database))
}

await Effect.runPromise(Effect.provide(program, cardsAt(process.argv[2] ?? "memory")))
