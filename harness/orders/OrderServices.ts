/** The order service as a program may get it: in this process on each kind of backend, or from afar. */
import { Context, Effect, Layer, type Scope } from "effect"
import * as OrdersLayers from "../../src/orders/OrdersLayers.ts"
import { Orders } from "../../src/orders/Orders.ts"
import { client, served, type Service, stock } from "./BothOrders.ts"
import { freshDatabase } from "../vitest/FreshDatabase.ts"
import { patientConnections } from "../clocks/Patience.ts"

/** On a PostgreSQL database of its own, with what its operator has. */
export const onPostgres = Effect.flatMap(freshDatabase, (url) =>
  Layer.build(OrdersLayers.layerPostgres(url, patientConnections))
)

const inMemory = Layer.build(Layer.fresh(OrdersLayers.layerMemory))

const stocked = <E>(service: Effect.Effect<Service, E, Scope.Scope>) => Layer.effect(Orders, Effect.tap(service, stock))

/** The kinds of order services, each with something to order. */
export const orderServices = {
  "in memory": stocked(Effect.map(inMemory, Context.get(Orders))),
  "on PostgreSQL": stocked(Effect.map(onPostgres, Context.get(Orders))),
  "from afar": stocked(
    Effect.flatMap(inMemory, (context) =>
      Effect.flatMap(served(Context.get(context, Orders)), (baseUrl) => client({ baseUrl, retries: 0 }))
    )
  )
}
