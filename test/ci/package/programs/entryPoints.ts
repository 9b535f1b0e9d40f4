/**
 * Imports every entry point of the package and exports what it finds there: TypeScript can write declarations of this file
 * only if an entry point exports each type that the public surface mentions.
 */
import { Effect, Schema, Stream } from "effect"
import * as Ordinal from "ordinal"
import * as Aggregate from "ordinal/aggregate"
import * as Catalog from "ordinal/catalog"
import * as Client from "ordinal/client"
import * as Cluster from "ordinal/cluster"
import * as EventStore from "ordinal/eventstore"
import * as Http from "ordinal/http"
import * as Kernel from "ordinal/kernel"
import * as Order from "ordinal/order"
import * as Projection from "ordinal/projection"
import * as Testing from "ordinal/testing"

const entryPoints = {
  Ordinal,
  Aggregate,
  Catalog,
  Client,
  Cluster,
  EventStore,
  Http,
  Kernel,
  Order,
  Projection,
  Testing
}
for (const [name, exported] of Object.entries(entryPoints)) console.log(`${name} ${Object.keys(exported).length}`)

export const layers = {
  demo: Ordinal.DemoCatalog.layer,
  memory: Ordinal.OrdersLayers.layerMemory,
  pglite: Ordinal.OrdersLayers.layerPglite("orders"),
  kernel: Kernel.EventSourcing.layerPostgres("postgres://host/name"),
  database: Kernel.Database.layer,
  migrations: Kernel.Migrations.layer,
  memoryStore: EventStore.MemoryEventStore.layer(),
  sqlStore: EventStore.SqlEventStore.layer,
  projections: Projection.ProjectionLayers.layer([]),
  server: Http.Server.layer({ host: "127.0.0.1", port: 0 }),
  routes: Http.Server.routes,
  admin: Http.AdminServer.layer({ host: "127.0.0.1", port: 0, orAnother: false }),
  cluster: Cluster.OrdersCluster.layer,
  node: Cluster.ClusterNode.layer({ address: { host: "127.0.0.1", port: 34431 } }),
  client: Client.OrdersClient.layer({ baseUrl: "http://127.0.0.1" })
}

export const values = {
  api: Http.Api,
  laws: Testing.AggregateLaws.suite,
  decider: Order.OrderDecider,
  streamId: EventStore.StreamId.make("card", "1"),
  table: Projection.ProjectionTable.make({ name: "public.cards", columns: "id text", indexes: {} }),
  token: Projection.ConsistencyToken.parse("none"),
  codec: Aggregate.EventCodec.make(Schema.TaggedUnion({ Issued: {} }), {}),
  upcaster: Aggregate.Upcaster.since(Schema.Struct({})).now(() => ({}))
}

export const services = Effect.gen(function* () {
  return {
    ...(yield* Ordinal.Orders),
    ...(yield* Ordinal.OrderQueries),
    ...(yield* Ordinal.CatalogViewProjection.queries),
    ...(yield* Projection.FoldReads),
    ...(yield* Kernel.Aggregates),
    ...(yield* Kernel.Commands),
    ...(yield* Kernel.Snapshots),
    ...(yield* Aggregate.AggregateLimits),
    ...(yield* Catalog.Catalog),
    ...(yield* EventStore.EventStore),
    ...(yield* EventStore.LogTail),
    ...(yield* Http.HttpLimits),
    ...(yield* Http.OpenStreams),
    ...(yield* Http.PushLimits),
    ...(yield* Http.Readiness),
    ...(yield* Kernel.Database),
    ...(yield* Order.OrderPolicies),
    ...(yield* Projection.Projections),
    ...(yield* Projection.ProjectionProgress),
    ...(yield* Projection.ProjectionLimits),
    retention: yield* EventStore.CommandRetention
  }
})

export const answers = {
  get: Effect.flatMap(Ordinal.Orders, ({ get }) => get(Testing.orderId)),
  ship: Effect.flatMap(Ordinal.Orders, ({ ship }) => ship(Testing.orderId, {})),
  list: Effect.flatMap(Ordinal.Orders, ({ list }) => list()),
  events: Stream.unwrap(Effect.map(Ordinal.Orders, ({ events }) => events()))
}
