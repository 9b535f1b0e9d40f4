/** Answers order queries from the replica of the database, if one is named, and from the primary what the replica can't. */
import { Effect, Layer } from "effect"
import { Database } from "../../database/Database.ts"
import { ProjectionProgress } from "../../projection/consistency/ProjectionProgress.ts"
import { LetOut } from "../../projection/view/LetOut.ts"
import * as ReplicaReads from "../../projection/view/ReplicaReads.ts"
import * as OutageLog from "../../supervision/OutageLog.ts"
import { OrderQueries } from "./OrderQueries.ts"
import { OrderViewProjection } from "./OrderViewProjection.ts"
import * as SqlOrderQueries from "./SqlOrderQueries.ts"

export const make = Effect.gen(function* () {
  const database = yield* Database
  const primary = yield* SqlOrderQueries.make()
  if (database.replica === undefined) return primary
  const { awaitPosition, position, progress, read } = yield* ReplicaReads.make(database.replica, OrderViewProjection)
  const replica = yield* SqlOrderQueries.make(OutageLog.silent).pipe(
    Effect.provideService(Database, { ...database, reads: database.replica.sql }),
    Effect.provideService(ProjectionProgress, progress)
  )
  return OrderQueries.of({
    get: (orderId, token) => read(token, replica.get(orderId, token), primary.get(orderId, token)),
    list: (query, token) => read(token, replica.list(query, token), primary.list(query, token)),
    counts: (query, token) => read(token, replica.counts(query, token), primary.counts(query, token)),
    awaitPosition,
    position,
    isLive: primary.isLive
  })
})

export const layer = Layer.effect(OrderQueries, make).pipe(Layer.provide(LetOut.layer))
