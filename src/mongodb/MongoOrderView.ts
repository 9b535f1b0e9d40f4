/** The order view in MongoDB: the projection that keeps it there, and the queries that are answered from it. */
import { Effect, type Redacted, type Scope } from "effect"
import type { OrderViewPlace } from "../orders/OrdersLayers.ts"
import * as MongoDb from "./MongoDb.ts"
import * as MongoOrderProjection from "./MongoOrderProjection.ts"
import * as MongoOrderQueries from "./MongoOrderQueries.ts"
import * as OrderCollections from "./OrderCollections.ts"

/** Opens the database at a URL `mongodb://host/database`. */
export const make = Effect.fnUntraced(function* (
  url: Redacted.Redacted
): Effect.fn.Return<OrderViewPlace, MongoDb.MongoDbNotOpened, Scope.Scope> {
  const mongo = yield* MongoDb.open(url)
  const collections = OrderCollections.make(mongo, MongoOrderProjection.key)
  return { projection: MongoOrderProjection.make(collections), queries: MongoOrderQueries.layer(mongo, collections) }
})
