/** Opens an embedded database and prints why it can't: run where @electric-sql/pglite is not installed. */
import { Effect } from "effect"
import { Orders, OrdersLayers } from "ordinal"

console.log(
  await Effect.runPromise(
    Effect.void.pipe(
      Effect.andThen(Orders),
      Effect.provide(OrdersLayers.layerPglite("memory")),
      Effect.as("opened"),
      Effect.catchTag("DatabaseNotOpened", ({ message, reason }) => Effect.succeed(`${reason}: ${message}`))
    )
  )
)
