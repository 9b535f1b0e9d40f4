/** Serves the gift cards of `DATABASE_URL`, which is `postgres://…` or `pglite:<directory>`, on `PORT`. */
import { NodeRuntime } from "@effect/platform-node"
import { Config, Effect, Layer } from "effect"
import { Database, EventSourcing } from "ordinal/kernel"
import { server } from "./GiftCardApi.ts"
import { SpentPerTill } from "./SpentPerTill.ts"

const main = Effect.gen(function* () {
  const url = yield* Config.Redacted("DATABASE_URL")
  const port = yield* Config.Port("PORT").pipe(Config.withDefault(4000))
  const kernel = EventSourcing.layer(Database.layer({ url }), { projections: [SpentPerTill] })
  return Layer.provide(server(port), kernel)
})

NodeRuntime.runMain(Layer.launch(Layer.unwrap(main)))
