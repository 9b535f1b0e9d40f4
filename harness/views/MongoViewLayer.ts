/** One process whose order view is in MongoDB: a database of its own on the server of a URL, which is dropped in the end. */
import { Effect, Layer, Redacted } from "effect"
import { MongoClient } from "mongodb"
import { LogTail } from "../../src/eventstore/tail/LogTail.ts"
import * as MongoDb from "../../src/mongodb/MongoDb.ts"
import * as MongoOrderProjection from "../../src/mongodb/MongoOrderProjection.ts"
import * as MongoOrderQueries from "../../src/mongodb/MongoOrderQueries.ts"
import * as OrderCollections from "../../src/mongodb/OrderCollections.ts"
import type { Projection } from "../../src/projection/Projection.ts"
import { ProjectionProgress } from "../../src/projection/consistency/ProjectionProgress.ts"
import * as SqlProjectionStore from "../../src/projection/store/SqlProjectionStore.ts"
import { databaseAt } from "../services/MongoServer.ts"
import { freshDatabase } from "../vitest/FreshDatabase.ts"
import { logLayer } from "./LogLayer.ts"
import { onePerPool, unaudited } from "./ViewLayer.ts"

/** The URL of a new database on the server. */
export const freshMongoDatabase = (server: string) =>
  Effect.acquireRelease(
    Effect.sync(() => databaseAt(server, `ordinal_${crypto.randomUUID().replaceAll("-", "")}`)),
    (url) =>
      Effect.promise(async () => {
        const client = new MongoClient(url, { serverSelectionTimeoutMS: 2_000 })
        await client
          .db()
          .dropDatabase()
          .catch(() => {})
        await client.close()
      })
  )

export const open = Effect.fnUntraced(function* (url: string) {
  const mongo = yield* MongoDb.open(Redacted.make(url))
  const collections = OrderCollections.make(mongo, MongoOrderProjection.key)
  return { mongo, collections, projection: MongoOrderProjection.make(collections) }
})

export type Opened = Effect.Success<ReturnType<typeof open>>

/** Log, progress and order queries, without a runner. */
export const readerLayer = (databaseUrl: string, { collections, mongo }: Opened) =>
  MongoOrderQueries.layer(mongo, collections).pipe(
    Layer.provideMerge(Layer.merge(LogTail.layer, ProjectionProgress.layer)),
    Layer.provideMerge(Layer.fresh(SqlProjectionStore.layer)),
    Layer.provideMerge(logLayer(databaseUrl, onePerPool))
  )

/** Runs the order view too, with everything that an operator can do; audits only when it is asked. */
export const operatedLayer = (databaseUrl: string, opened: Opened, projection: Projection = opened.projection) =>
  unaudited([projection]).pipe(Layer.provideMerge(readerLayer(databaseUrl, opened)))

/** On databases of its own. */
export const fresh = (server: string) =>
  Layer.unwrap(
    Effect.gen(function* () {
      const [database, mongo] = [yield* freshDatabase, yield* freshMongoDatabase(server)]
      return operatedLayer(database, yield* open(mongo))
    })
  )
