/** Serves the example's gift cards in memory, pays with one as a remote client, and prints what is left. */
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { EventSourcing } from "ordinal/kernel"
import { CardId, GiftCards, pay } from "../../../../examples/GiftCard.ts"
import { remote, server } from "../../../../examples/GiftCardApi.ts"

const till = Effect.gen(function* () {
  const cards = yield* GiftCards
  yield* cards.send(CardId.make("xmas"), { _tag: "Issue", cents: 5_000 })
  yield* pay("xmas", 1_500, "receipt 1")
  return yield* pay("xmas", 1_500, "receipt 1")
})

const program = Effect.gen(function* () {
  const { address } = yield* HttpServer.HttpServer
  const url = `http://127.0.0.1:${"port" in address ? address.port : 0}`
  return yield* Effect.provide(till, remote(url))
})

const left = await Effect.runPromise(Effect.provide(program, Layer.provide(server(0), EventSourcing.layerMemory)))
console.log(JSON.stringify(left))
