/** Serves the example's gift cards in memory, redeems one over HTTP, and prints what is left. */
import { NodeHttpServer } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import { HttpServer } from "effect/http"
import { createServer } from "node:http"
import { EventSourcing } from "ordinal/kernel"
import * as GiftCard from "../../../../examples/GiftCard.ts"

const call = Effect.gen(function* () {
  const { address } = yield* HttpServer.HttpServer
  const url = `http://127.0.0.1:${"port" in address ? address.port : 0}/giftcards/xmas`
  const send = (method: string, path: string, body: object) =>
    Effect.promise(async () => {
      const headers = { "content-type": "application/json", "idempotency-key": "first" }
      return (await fetch(url + path, { method, headers, body: JSON.stringify(body) })).text()
    })
  yield* send("PUT", "", { cents: 5_000 })
  return yield* send("POST", "/redemptions", { cents: 1_500, till: "7" })
})

const program = GiftCard.layer.pipe(
  Layer.provideMerge(NodeHttpServer.layer(createServer, { port: 0, host: "127.0.0.1" })),
  Layer.provide(EventSourcing.layerMemory)
)
console.log(await Effect.runPromise(Effect.provide(call, program)))
